# SPDX-License-Identifier: GPL-2.0
"""The memory of a guest that has stopped somewhere, as QEMU writes it, read with drgn."""

import struct
from functools import cached_property
from pathlib import Path

import drgn
from drgn.helpers.linux.printk import get_printk_records
from drgn.helpers.linux.sched import cpu_curr

from harness.dump.dump import load_debug_info
from harness.dump.notes import NT_REPORT, Report
from harness.guest.guest import Guest

# The first words of a note: the lengths of its name and its contents, and its type.
NOTE = struct.Struct("<3I")

REPORT_NAME = b"RUST_KEXEC\0"


def padded(length: int) -> int:
    """The length that a part of a note takes."""
    return length + 3 & ~3


async def vmcoreinfo(guest: Guest) -> bytes:
    """What a reader of the kernel's memory has to know; from a kernel that still runs."""
    place, size = (await guest.read("/sys/kernel/vmcoreinfo")).split()
    path = guest.machine.directory / "vmcoreinfo"
    await guest.machine.execute(
        "pmemsave", val=int(place, 16), size=int(size, 16), filename=str(path)
    )
    note = path.read_bytes()
    path.unlink()
    name_len, contents_len, _ = NOTE.unpack_from(note)
    start = NOTE.size + padded(name_len)
    return note[start : start + contents_len]


class Remains:
    """What a kernel that was crashed has left in memory, whatever runs there now."""

    def __init__(self, memory: Path, information: bytes) -> None:
        self.program = drgn.Program(vmcoreinfo=information)
        self.program.set_core_dump(str(memory))
        load_debug_info(self.program)

    @property
    def panicked(self) -> int | None:
        """The CPU that panics."""
        cpu = self.program["panic_cpu"].counter.value_()
        return None if cpu == -1 else int(cpu)

    @cached_property
    def report(self) -> Report | None:
        """What the crash path has noted so far; none where no image was loaded."""
        found = []
        for place in self.program.search_memory(REPORT_NAME):
            start = place - NOTE.size
            name_len, contents_len, kind = NOTE.unpack(self.program.read(start, NOTE.size))
            if (name_len, kind) == (len(REPORT_NAME), NT_REPORT):
                contents = self.program.read(place + padded(name_len), contents_len)
                found.append(Report.parse(contents))
        return max(found, key=lambda report: report.noticed, default=None)

    @cached_property
    def log(self) -> list[str]:
        """The kernel's log, without its time stamps."""
        return [record.text.decode(errors="replace") for record in get_printk_records(self.program)]

    def stack(self, cpu: int) -> list[str]:
        """The functions that a CPU is in, the innermost one first."""
        trace = self.program.stack_trace(cpu_curr(self.program, cpu))
        return [frame.name for frame in trace]
