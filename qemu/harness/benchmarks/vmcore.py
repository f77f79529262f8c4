# SPDX-License-Identifier: GPL-2.0
"""The third part of `make bench`: how fast the dump is read, from our file and the kernel's own.

Both files are there in one boot of the capture kernel, and are read by turns. Every byte is
touched. Only ratios tell anything: absolute times are the host's.

--cpu max shows both files where the kernel copies by `rep movsb`, which the guests otherwise do not
have (see harness/machine/platform.py).

With --growth it is how long a GiB takes and how much memory the reader needs in guests of growing
size.
"""

import asyncio
import base64
import io
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from elftools.elf.elffile import ELFFile

from harness import paths
from harness.benchmarks.initrds import has_makedumpfile, makedumpfile, of_the_guests
from harness.benchmarks.measurement import KERNELS_OWN, RUST_KEXEC, by_turns, options, ratio, spread
from harness.crash.run import crashed
from harness.crash.scenario import Scenario
from harness.guest.boot import boot
from harness.guest.guest import Guest
from harness.guest.kernel import free_kib, mapped_areas
from harness.guest.loading import CAPTURE
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS, measured
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.units import MIB, PAGE

FILES = {RUST_KEXEC: OURS, KERNELS_OWN: THEIRS}

# Two CPUs, so that readers can run side by side.
TWO_CPUS = CAPTURE.replace("nr_cpus=1", "nr_cpus=2")

WAYS: dict[str, tuple[str, ...]] = {
    "read, 4 KiB blocks": ("--read", "4096"),
    "read, 64 KiB blocks": ("--read", "65536"),
    "read, 1 MiB blocks": ("--read", str(MIB)),
    "read, 1 MiB blocks, 2 readers": ("--read", str(MIB), "--readers", "2"),
    "read, 1 MiB blocks, 4 readers": ("--read", str(MIB), "--readers", "4"),
    "mmap, 4 MiB at a time": ("--map", str(4 * MIB)),
    "mmap, 4 MiB at a time, 2 readers": ("--map", str(4 * MIB), "--readers", "2"),
    "mmap, 64 MiB at a time": ("--map", str(64 * MIB)),
}

MAKEDUMPFILE = "makedumpfile -d 31"


async def filtered(guest: Guest, path: str) -> float:
    """Seconds that makedumpfile needs for the pages that people want."""
    text = await guest.shell(
        f"cut -d' ' -f1 /proc/uptime; makedumpfile -F -c -d 31 {path} 2>/dev/null >/dev/null; "
        "cut -d' ' -f1 /proc/uptime",
        timeout_s=900,
    )
    start, end = (float(number) for number in text.split())
    return end - start


@asynccontextmanager
async def crashed_with_makedumpfile(scenario: Scenario) -> AsyncIterator[Guest]:
    """The capture kernel after a crash, with makedumpfile where the tools are there."""
    files = makedumpfile() if has_makedumpfile() else {}
    directory = paths.results("bench", paths.RUN)
    async with boot(directory, scenario.hardware, scenario.command_line) as guest:
        await guest.send(paths.GUEST_INITRD, of_the_guests(files))
        await guest.load(scenario.capture_command_line)
        await guest.crash()
        await guest.captured()
        yield guest


async def ratios(runs: int, limit_mib: int, cpu: str) -> None:
    """Compares both files in every way to read."""
    scenario = Scenario(
        name="bench",
        hardware=Hardware(cpus=2, memory_mib=2048, cpu=cpu),
        capture_command_line=TWO_CPUS,
    )
    async with crashed_with_makedumpfile(scenario) as guest:
        # Inside one segment: while ours keeps a part of several mapped, the kernel's own file
        # cannot be mapped across them on x86 (seen with 6.12.117).
        start, room = await longest_load(guest)
        limit_mib = min(limit_mib, room // MIB)
        limit = ("--offset", str(start), "--limit", str(limit_mib * MIB))
        print(f"Seconds for {limit_mib} MiB of a dump, medians of {runs} (range):", flush=True)
        for name, way in WAYS.items():
            await compare(name, runs, partial(measured_by, guest, *way, *limit))
        if has_makedumpfile():
            await compare(MAKEDUMPFILE, runs, partial(filtered, guest))


async def measured_by(guest: Guest, *way_and_path: str) -> float:
    """Seconds for a file, which is the last argument, in one of the ways."""
    *way, path = way_and_path
    return await measured(guest, path, *way)


async def compare(name: str, runs: int, read: Callable[[str], Awaitable[float]]) -> None:
    """Prints the times of both files for one way to read, and their ratio."""
    times = await by_turns(FILES, runs, lambda file, _: read(FILES[file]))
    shown = ", ".join(f"{file} {spread(found, 3)}" for file, found in times.items())
    speed = ratio(times[KERNELS_OWN], times[RUST_KEXEC])
    print(f"  {name}: {shown}; {speed:.1f} times as fast", flush=True)


async def longest_load(guest: Guest) -> tuple[int, int]:
    """The offset in the file of the longest PT_LOAD's first whole page, and the length from it."""
    header = base64.b64decode(await guest.shell(f"head -c {PAGE} {OURS} | base64"))
    loads = ELFFile(io.BytesIO(header)).iter_segments("PT_LOAD")
    length, start = max((load["p_filesz"], load["p_offset"]) for load in loads)
    aligned = -(-start // PAGE) * PAGE
    return aligned, length - (aligned - start)


async def growth(sizes_gib: list[int], runs: int, cpu: str) -> None:
    """Work for each GiB and the reader's memory, by the guest's size.

    The guests run one after the other, and the host is not equally fast all the time. So the work
    is what the guest executes; the time of the host's CPUs for it stands beside.
    """
    print(
        "Guest, instructions and seconds of the host's CPUs for each GiB, both medians of "
        f"{runs} (range), the module's memory and windows:",
        flush=True,
    )
    for size in sizes_gib:
        scenario = Scenario(
            name=f"{size}g",
            hardware=Hardware(cpus=2, memory_mib=size * 1024, cpu=cpu, counting=True),
        )
        async with crashed(scenario, paths.results("bench", paths.RUN)) as guest:
            gib = int(await guest.shell(f"stat -c %s {OURS}")) / (1024 * MIB)
            # Once before, for what the kernel sets up or gives back in its first seconds.
            await one_pass(guest)
            await guest.shell("rmmod rust_kexec")
            idle = len(await mapped_areas(guest))
            before = await free_kib(guest)
            await guest.shell(f"insmod {paths.GUEST_MODULE}")
            millions, seconds = [], []
            for _ in range(runs):
                instructions, time = await one_pass(guest)
                millions.append(instructions / gib / 1e6)
                seconds.append(time / gib)
            taken = before - await free_kib(guest)
            windows = len(await mapped_areas(guest)) - idle
            print(
                f"  {size} GiB: {spread(millions, 1, ' million')}, {spread(seconds, 2, ' s')}, "
                f"{taken} KiB, {windows} windows",
                flush=True,
            )


async def cpu_seconds(guest: Guest) -> float:
    """Seconds that the host has worked for the guest's CPUs, without its other work."""
    ticks = 0
    for cpu in await guest.machine.execute("query-cpus-fast"):
        stat = Path(f"/proc/{cpu['thread-id']}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


async def one_pass(guest: Guest) -> tuple[float, float]:
    """Instructions for the dump in blocks of 1 MiB, and seconds of the host's CPUs."""
    before = await cpu_seconds(guest)
    seconds = await measured(guest, OURS, "--read", str(MIB), timeout_s=1800)
    # The guest's clock counts an instruction as a nanosecond.
    return seconds * 1e9, await cpu_seconds(guest) - before


def main() -> None:
    """Runs what was asked for."""
    parser = options(__doc__, runs=5, what="of each")
    parser.add_argument(
        "--limit", type=int, default=512, metavar="MIB", help="how much is read (%(default)s)"
    )
    parser.add_argument(
        "--cpu", default=PLATFORM.cpu, metavar="MODEL", help="the guests' CPU (%(default)s)"
    )
    parser.add_argument(
        "--growth", type=int, nargs="+", metavar="GIB", help="guests of these sizes instead"
    )
    asked = parser.parse_args()
    if not HAS_BOTH:
        parser.error("the capture kernel needs a file of its own: CAPTURE_VARIANT=vmcore")
    if asked.growth:
        asyncio.run(growth(asked.growth, asked.runs, asked.cpu))
    else:
        asyncio.run(ratios(asked.runs, asked.limit, asked.cpu))


if __name__ == "__main__":
    main()
