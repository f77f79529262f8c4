# SPDX-License-Identifier: GPL-2.0
"""`/proc/vmcore` in a running capture kernel: after a crash, or in a machine that never crashed."""

import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness import paths
from harness.crash.scenario import Scenario
from harness.guest.guest import CONSOLE, PATIENCE, Guest, boot
from harness.machine.machine import GuestError, Hardware, Machine
from harness.machine.platform import PLATFORM

# Ours where the capture kernel has a file of its own, and that one.
OURS = "/proc/rust_kexec_vmcore"
THEIRS = "/proc/vmcore"
HAS_BOTH = paths.has(paths.CAPTURE_TARGET, "PROC_VMCORE")

PAGE = 4096
MIB = 1 << 20


@asynccontextmanager
async def crashed(scenario: Scenario, directory: Path) -> AsyncIterator[Guest]:
    """The capture kernel after a crash."""
    async with boot(directory, scenario.hardware, scenario.command_line) as guest:
        await guest.load(scenario.capture_command_line)
        await guest.crash()
        await guest.captured()
        yield guest


@dataclass(frozen=True)
class Piece:
    """A program header of an ELF core header, and what its memory holds."""

    kind: int
    address: int
    contents: bytes
    virtual: int = 0

    def encode(self) -> bytes:
        """As the core header has it."""
        size = len(self.contents)
        return struct.pack(
            "<IIQQQQQQ", self.kind, 7, self.address, self.virtual, self.address, size, size, 0
        )


PT_LOAD, PT_NOTE = 1, 4
EM_X86_64 = 62


def core_header(pieces: list[Piece]) -> bytes:
    """An ELF core header, as a crashed kernel leaves it."""
    header = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH",
        b"\x7fELF", 2, 1, 1, 0, 0, 4, EM_X86_64, 1, 0, 64, 0, 0, 64, 56, len(pieces),
        0, 0, 0,
    )
    return header + b"".join(piece.encode() for piece in pieces)


def note(name: bytes, kind: int, contents: bytes) -> bytes:
    """An ELF note."""
    name += b"\0"
    parts = [struct.pack("<III", len(name), len(contents), kind)]
    parts += [part + bytes(-len(part) % 4) for part in (name, contents)]
    return b"".join(parts)


@asynccontextmanager
async def prepared(
    directory: Path,
    memory: bytes,
    at: int,
    header: int,
    hardware: Hardware = Hardware(cpus=1),
    options: str = "",
) -> AsyncIterator[Guest]:
    """An x86_64 machine whose kernel is told that another one crashed before it.

    QEMU puts `memory` to physical address `at`, which `memmap=` makes the kernel leave alone.
    """
    image = directory / "memory"
    image.write_bytes(memory)
    loader = ("-device", f"loader,file={image},addr={at:#x},force-raw=on")
    hardware = replace(hardware, arguments=(*hardware.arguments, *loader))
    command_line = (
        f"{CONSOLE} {PLATFORM.early_console} memmap={len(memory):#x}${at:#x} "
        f"elfcorehdr={header:#x} {options}"
    )
    machine = Machine(hardware, command_line, directory)
    async with machine:
        hello = await machine.until(machine.agent.hello(), "the kernel's agent", PATIENCE)
        if hello.role != "capture":
            raise GuestError(f"the kernel that QEMU booted says {hello}")
        yield Guest(machine, hello)
    image.unlink()


async def kernel_words(guest: Guest, pattern: str) -> list[str]:
    """The lines of the kernel's log that match, without their times."""
    found = await guest.shell(f"dmesg | sed 's/^[^]]*] //' | grep -E '{pattern}' || true")
    return found.splitlines()


# What is left in a kernel by a bad page, an oops, a warning, and a CPU that hung.
BAD_TAINTS = 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14


async def complaints(guest: Guest) -> list[str]:
    """What the kernel says when something went wrong in it."""
    said = await kernel_words(guest, "BUG|WARNING|Oops|Call Trace|unable to handle|leak")
    taint = int(await guest.read("/proc/sys/kernel/tainted"))
    return [*said, f"taint {taint:#x}"] if taint & BAD_TAINTS else said


async def compare(guest: Guest, seed: int, requests: int, timeout_s: int) -> dict[str, int]:
    """Asks the same of both files; fails on the first difference."""
    finished = await guest.run(
        "vmcore", "compare", "--ours", OURS, "--theirs", THEIRS, "--seed", str(seed),
        "--requests", str(requests), timeout_s=timeout_s,
    )
    return json.loads(finished.check().stdout)


async def cpu_seconds(guest: Guest) -> float:
    """How long the host has worked for the guest's CPUs: what else the host does is left out."""
    ticks = 0
    for cpu in await guest.machine.execute("query-cpus-fast"):
        stat = Path(f"/proc/{cpu['thread-id']}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


async def free_kib(guest: Guest) -> int:
    """Memory that the kernel could still give, with what it keeps ready for each CPU."""
    await guest.shell("echo 3 > /proc/sys/vm/drop_caches")
    count = "$1 == \"nr_free_pages\" || $1 == \"count:\" { pages += $2 } END { print pages }"
    return int(await guest.shell(f"awk '{count}' /proc/zoneinfo")) * PAGE // 1024


async def measured(guest: Guest, path: str, *options: str, timeout_s: int = 600) -> float:
    """Seconds that it takes to go through a dump once."""
    finished = await guest.run("vmcore", "time", path, *options, timeout_s=timeout_s)
    return json.loads(finished.check().stdout)["seconds"]


async def mapped_areas(guest: Guest) -> list[str]:
    """The kernel's mappings of physical memory, by their lines in /proc/vmallocinfo."""
    text = await guest.read("/proc/vmallocinfo")
    return [line for line in text.splitlines() if " ioremap" in line or "memremap" in line]


