# SPDX-License-Identifier: GPL-2.0
"""Reads a vmcore with two readers that know nothing of us: drgn and pyelftools."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import drgn
from drgn.helpers.linux.cpumask import for_each_online_cpu, for_each_present_cpu
from drgn.helpers.linux.module import for_each_module
from drgn.helpers.linux.pid import find_task
from drgn.helpers.linux.printk import get_printk_records
from drgn.helpers.linux.sched import cpu_curr, idle_task, task_cpu
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from harness import paths
from harness.dump.notes import NT_REPORT, PR_PID_OFFSET, Prstatus, Report
from harness.machine.platform import PLATFORM

# What an ELF file begins with (e_ident).
ELF_MAGIC = b"\x7fELF"


@dataclass(frozen=True)
class Load:
    """One PT_LOAD: physical memory and where in the file it is."""

    physical: int
    size: int
    offset: int


@dataclass(frozen=True)
class Cpu:
    """One CPU, and what it did when the kernel crashed."""

    number: int
    pid: int
    command: str
    instruction_pointer: int
    symbol: str
    functions: tuple[str, ...]


def text(string: drgn.Object) -> str:
    """A string of the kernel's."""
    return bytes(string.string_()).decode(errors="replace")


def load_debug_info(program: drgn.Program) -> None:
    """That of the kernel, and of the modules that it had loaded."""
    program.load_debug_info([str(paths.VMLINUX)])
    loaded = {text(module.name) for module in for_each_module(program)}
    program.load_debug_info([str(path) for path in paths.MODULES if path.stem in loaded])


class Dump:
    """An opened vmcore."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Closed by __exit__().
        self._file = open(path, "rb")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @cached_property
    def elf(self) -> ELFFile:
        """The file itself, unless it is in a format of makedumpfile's."""
        return ELFFile(self._file)

    @property
    def _is_elf(self) -> bool:
        """Whether it is an ELF file, and not in a format of makedumpfile's."""
        self._file.seek(0)
        return self._file.read(len(ELF_MAGIC)) == ELF_MAGIC

    @cached_property
    def program(self) -> drgn.Program:
        """The crashed kernel as drgn sees it."""
        program = drgn.Program()
        program.set_core_dump(str(self.path))
        load_debug_info(program)
        return program

    def module(self, address: int) -> str:
        """The module that has this address, "" where none does."""
        try:
            name: str = self.program.module(address).name
        except LookupError:
            return ""
        return name

    @property
    def release(self) -> str:
        """The crashed kernel's release."""
        return text(self.program["init_uts_ns"].name.release)

    @cached_property
    def kernel_log(self) -> list[str]:
        """The kernel log's lines, without their time stamps."""
        return [record.text.decode() for record in get_printk_records(self.program)]

    @property
    def panic_message(self) -> str:
        """The message of panic()."""
        start = "Kernel panic - not syncing: "
        for line in reversed(self.kernel_log):
            if line.startswith(start):
                return line.removeprefix(start)
        raise AssertionError("the dump's kernel log has no panic message")

    @property
    def crashed_thread(self) -> drgn.Thread:
        """The thread that called panic()."""
        return self.program.crashed_thread()

    @property
    def online(self) -> list[int]:
        """The CPUs that were online."""
        return list(for_each_online_cpu(self.program))

    @cached_property
    def _noted(self) -> list[int]:
        """The CPUs that left their registers."""
        reports = [Report.parse(found) for found in self._notes("RUST_KEXEC", NT_REPORT)]
        if reports:
            return reports[0].has_stopped
        # The kernel's own crash path leaves no report, and on arm64 takes the CPUs that it stops
        # out of the online mask.
        present = list(for_each_present_cpu(self.program))
        return present if len(present) == len(self.prstatus) else self.online

    @cached_property
    def cpus(self) -> list[Cpu]:
        """Every CPU that left its registers."""
        return [self.cpu(number) for number in self._noted]

    def _task(self, number: int) -> drgn.Object:
        """The task that a CPU ran.

        In the middle of a switch its run queue has the next one already, and its registers are
        those of the one before, which the note names.
        """
        task = cpu_curr(self.program, number)
        if not self._is_elf or number not in self._noted:
            return task
        pid = self.prstatus[self._noted.index(number)].pid
        if pid == task.pid.value_():
            return task
        before = find_task(self.program, pid) if pid else idle_task(self.program, number)
        assert before and before.on_cpu and task_cpu(before) == number, (number, pid, task.pid)
        functions = [frame.name for frame in self.program.stack_trace(before)]
        assert "__schedule" in functions, (number, pid, functions)
        return before

    def cpu(self, number: int) -> Cpu:
        """One CPU that left its registers."""
        task = self._task(number)
        trace = self.program.stack_trace(task)
        first = trace[0]
        try:
            found = self.program.symbol(first.pc)
            symbol = f"{found.name}+{first.pc - found.address:#x}"
        except LookupError:
            symbol = "in user space" if first.pc < 1 << 63 else "no symbol"
        return Cpu(
            number=number,
            pid=task.pid.value_(),
            command=text(task.comm),
            instruction_pointer=first.pc,
            symbol=symbol,
            functions=tuple(frame.name for frame in trace),
        )

    def registers_in(self, function: str, number: int) -> dict[str, int]:
        """The registers that a CPU had in a function on its stack."""
        trace = self.program.stack_trace(self._task(number))
        frames = [frame for frame in trace if frame.name == function]
        assert frames, (number, trace)
        return dict(frames[0].registers())

    @cached_property
    def prstatus(self) -> list[Prstatus]:
        """The NT_PRSTATUS notes, in the file's order, which is that of the CPUs."""
        return list(self._prstatus())

    def _prstatus(self) -> Iterator[Prstatus]:
        for description in self._notes("CORE", "NT_PRSTATUS"):
            if len(description) != PLATFORM.prstatus_size:
                raise AssertionError(f"an NT_PRSTATUS note has {len(description)} bytes")
            pid, *values = PLATFORM.prstatus.unpack_from(description, PR_PID_OFFSET)
            yield Prstatus(pid, dict(zip(PLATFORM.registers, values, strict=True)))

    def _notes(self, name: str, kind: str | int) -> Iterator[bytes]:
        for segment in self.elf.iter_segments():
            if isinstance(segment, NoteSegment):
                for note in segment.iter_notes():
                    if note["n_name"] == name and note["n_type"] == kind:
                        yield bytes(note["n_descdata"])

    @cached_property
    def vmcoreinfo(self) -> dict[str, str]:
        """The lines of the VMCOREINFO note."""
        [description] = self._notes("VMCOREINFO", 0)
        return dict(line.split("=", 1) for line in description.decode().splitlines())

    @cached_property
    def report(self) -> Report:
        """The report of the crash path."""
        [description] = self._notes("RUST_KEXEC", NT_REPORT)
        return Report.parse(description)

    @cached_property
    def loads(self) -> list[Load]:
        """The PT_LOADs."""
        return [
            Load(segment["p_paddr"], segment["p_filesz"], segment["p_offset"])
            for segment in self.elf.iter_segments("PT_LOAD")
        ]

    @property
    def end(self) -> int:
        """The offset in the file at which the last segment ends."""
        return max(s["p_offset"] + s["p_filesz"] for s in self.elf.iter_segments())

    def physical(self, address: int, size: int) -> bytes:
        """Physical memory, read from the file by its own program headers."""
        for load in self.loads:
            if load.physical <= address and address + size <= load.physical + load.size:
                self._file.seek(load.offset + address - load.physical)
                return self._file.read(size)
        raise AssertionError(f"no PT_LOAD holds {address:#x}-{address + size:#x}")
