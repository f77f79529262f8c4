# SPDX-License-Identifier: GPL-2.0
"""The third part of `make bench`: how fast the dump is read, from our file and the kernel's own.

Both files are there in one boot of the capture kernel, and are read by turns. Every byte is
touched. Only ratios tell anything: absolute times are the host's.

--cpu max shows both files where the kernel copies by `rep movsb`, which the guests otherwise do not
have (see harness/machine/platform.py).

With --growth it is how long a GiB takes and how much memory the reader needs in guests of growing
size.
"""

import argparse
import asyncio
import base64
import io
import statistics
from collections.abc import Callable

from elftools.elf.elffile import ELFFile

from harness import paths
from harness.crash.run import crashed
from harness.crash.scenario import Scenario
from harness.guest.guest import Guest
from harness.guest.kernel import free_kib, mapped_areas
from harness.guest.loading import CAPTURE
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS, cpu_seconds, measured
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.units import MIB, PAGE

FILES = {"rust_kexec": OURS, "the kernel's own": THEIRS}

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


async def ratios(runs: int, limit_mib: int, cpu: str) -> None:
    """Every way to read, by turns."""
    scenario = Scenario(
        name="bench",
        hardware=Hardware(cpus=2, memory_mib=2048, cpu=cpu),
        capture_command_line=TWO_CPUS,
    )
    async with crashed(scenario, paths.results("bench", paths.RUN)) as guest:
        # Inside one segment: while ours keeps a part of several mapped, the kernel's own file
        # cannot be mapped across them on x86.
        start, room = await longest_load(guest)
        limit_mib = min(limit_mib, room // MIB)
        limit = ("--offset", str(start), "--limit", str(limit_mib * MIB))
        jobs: dict[str, Callable[[str], object]] = {
            name: lambda path, options=options: measured(guest, path, *options, *limit)
            for name, options in WAYS.items()
        }
        if (await guest.run("test", "-e", "/bin/makedumpfile")).status == 0:
            jobs[MAKEDUMPFILE] = lambda path: filtered(guest, path)
        print(f"Seconds for {limit_mib} MiB of a dump, medians of {runs} (range):", flush=True)
        for name, job in jobs.items():
            times: dict[str, list[float]] = {file: [] for file in FILES}
            for _ in range(runs):
                for file, path in FILES.items():
                    times[file].append(await job(path))
            medians = [statistics.median(found) for found in times.values()]
            shown = ", ".join(
                f"{file} {statistics.median(found):.3f} ({min(found):.3f} to {max(found):.3f})"
                for file, found in times.items()
            )
            print(f"  {name}: {shown}; {medians[1] / medians[0]:.1f} times as fast", flush=True)


async def longest_load(guest: Guest) -> tuple[int, int]:
    """Where the longest PT_LOAD has its first whole page in the file, and how much there is."""
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
        f"{runs} (range), the module's memory and windows:", flush=True,
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
                f"  {size} GiB: {statistics.median(millions):.1f} million ({min(millions):.1f} to "
                f"{max(millions):.1f}), {statistics.median(seconds):.2f} s ({min(seconds):.2f} to "
                f"{max(seconds):.2f}), {taken} KiB, {windows} windows", flush=True,
            )


async def one_pass(guest: Guest) -> tuple[float, float]:
    """Instructions for the dump in blocks of 1 MiB, and seconds of the host's CPUs."""
    before = await cpu_seconds(guest)
    seconds = await measured(guest, OURS, "--read", str(MIB), timeout_s=1800)
    # As the guest's clock has it.
    return seconds * 1e9, await cpu_seconds(guest) - before


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="of each (%(default)s)")
    parser.add_argument(
        "--limit", type=int, default=512, metavar="MIB", help="how much is read (%(default)s)"
    )
    parser.add_argument(
        "--cpu", default=PLATFORM.cpu, metavar="MODEL", help="the guests' CPU (%(default)s)"
    )
    parser.add_argument(
        "--growth", type=int, nargs="+", metavar="GIB", help="guests of these sizes instead"
    )
    options = parser.parse_args()
    if not HAS_BOTH:
        parser.error("the capture kernel needs a file of its own: CAPTURE_VARIANT=vmcore")
    if options.growth:
        asyncio.run(growth(options.growth, options.runs, options.cpu))
    else:
        asyncio.run(ratios(options.runs, options.limit, options.cpu))


if __name__ == "__main__":
    main()
