# SPDX-License-Identifier: GPL-2.0
"""`make bench`: from the panic message to the capture kernel's first line, ours and the kernel's.

Both load the same image with the same command line in the same guest image, by turns, so that
whatever else the host does meets both. Only the ratio tells anything: absolute times are the
host's. For ours, the note that the crash path leaves in the dump tells where the time went between
the first hook and the capture kernel's entry.
"""

import argparse
import asyncio
import statistics
from collections.abc import Awaitable, Callable

from harness import paths
from harness.dump import Dump, Report
from harness.guest import CAPTURE, FIRST_LINE, PATIENCE, Guest, boot
from harness.machine import MIB
from harness.platform import PLATFORM

# The capture kernel's first line must not wait until its driver for the serial port is up.
COMMAND_LINE = CAPTURE

Loader = Callable[[Guest], Awaitable[object]]


async def load_with_ours(guest: Guest) -> None:
    """rust_kexec's implementation."""
    await guest.load(COMMAND_LINE)


async def load_with_the_kernels_own(guest: Guest) -> None:
    """The C implementation, by kexec_file_load(2)."""
    files = (paths.GUEST_KERNEL, paths.GUEST_INITRD)
    (await guest.run("kexec-file-load", *files, COMMAND_LINE)).check()


OURS = "rust_kexec"
IMPLEMENTATIONS: dict[str, Loader] = {
    OURS: load_with_ours,
    "the kernel's own": load_with_the_kernels_own,
}


# What the crash path does, and the seconds that a report says it took.
PARTS: dict[str, Callable[[Report], float]] = {
    "stopping the other CPUs": lambda r: r.seconds(r.noticed, r.stopped),
    "silencing interrupts": lambda r: r.seconds(r.stopped, r.left),
    "entering the purgatory": lambda r: r.seconds(r.left, r.purgatory_entered),
    "checking the digests": lambda r: r.seconds(r.purgatory_entered, r.checked),
    "together": lambda r: r.seconds(r.noticed, r.checked),
}
CHECKING = PARTS["checking the digests"]


async def crash(name: str) -> tuple[float, Report | None]:
    """One crash: the seconds to the capture kernel's first line, and what our own path tells."""
    command_line = f"crashkernel=256M {PLATFORM.early_console}"
    async with boot(paths.results("bench", paths.RUN), command_line=command_line) as guest:
        await IMPLEMENTATIONS[name](guest)
        await guest.crash()
        await guest.captured()
        console, start = guest.machine.console, guest.crash_line
        panic = await guest.machine.until(
            console.line("Kernel panic - not syncing", start), "the panic message", PATIENCE
        )
        first = await guest.machine.until(
            console.line(FIRST_LINE, start), "the capture kernel's first line", PATIENCE
        )
        report = None
        if name == OURS:
            # The notes are at its start.
            with Dump(await guest.save_vmcore(limit=MIB)) as dump:
                report = dump.report
        return first.seconds - panic.seconds, report


def main() -> None:
    """Runs both by turns and prints medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="crashes of each (%(default)s)")
    runs = parser.parse_args().runs
    times: dict[str, list[float]] = {name: [] for name in IMPLEMENTATIONS}
    reports: list[Report] = []
    for run in range(runs):
        for name in IMPLEMENTATIONS:
            time, report = asyncio.run(crash(name))
            times[name].append(time)
            if report is not None:
                reports.append(report)
            print(f"run {run + 1} of {runs}: {name:<16} {time:.3f} s", flush=True)
    medians = {name: statistics.median(found) for name, found in times.items()}
    print("\nFrom the panic message to the capture kernel's first line, median (range):")
    for name, found in times.items():
        print(f"  {name:<16} {medians[name]:.3f} s ({min(found):.3f} to {max(found):.3f})")
    ours, own = medians.values()
    print(f"ratio, rust_kexec to the kernel's own: {ours / own:.2f}")
    if not PLATFORM.kernels_own_checks:
        pairs = zip(times[OURS], reports, strict=True)
        rest = statistics.median(time - CHECKING(report) for time, report in pairs)
        print(
            f"The kernel's own checks no digest. Ours without the time for that: {rest:.3f} s, "
            f"ratio {rest / own:.2f}"
        )
    print(f"\nOf {OURS}, from its first hook to the capture kernel's entry, median (range):")
    for part, time_of in PARTS.items():
        found = sorted(1000 * time_of(report) for report in reports)
        median = statistics.median(found)
        print(f"  {part:<24} {median:8.2f} ms ({found[0]:.2f} to {found[-1]:.2f})")


if __name__ == "__main__":
    main()
