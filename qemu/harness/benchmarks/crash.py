# SPDX-License-Identifier: GPL-2.0
"""The first part of `make bench`: from the panic to the capture kernel, ours and the kernel's.

The time is that from the panic message to the capture kernel's first line.

Both load the same image with the same command line in the same guest image, by turns, so that
whatever else the host does meets both. Only the ratio tells anything: absolute times are the
host's. For ours, the note that the crash path leaves in the dump tells where the time went between
the first hook and the capture kernel's entry.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness import paths
from harness.benchmarks.measurement import (
    KERNELS_OWN,
    RUST_KEXEC,
    RUST_KEXEC_SHA256,
    by_turns,
    options,
    show_seconds,
    spread,
)
from harness.dump.dump import Dump
from harness.dump.notes import Report
from harness.guest.boot import boot
from harness.guest.guest import FIRST_LINE, PATIENCE, Guest
from harness.guest.loading import CAPTURE
from harness.machine.platform import PLATFORM
from harness.units import MIB

# The capture kernel's first line must not wait until its driver for the serial port is up.
COMMAND_LINE = CAPTURE

Loader = Callable[[Guest], Awaitable[object]]


async def load_with_ours(guest: Guest) -> None:
    """rust_kexec's implementation, with the default digest."""
    await guest.load(COMMAND_LINE)


async def load_with_sha256(guest: Guest) -> None:
    """rust_kexec's implementation, with SHA-256."""
    await guest.load(COMMAND_LINE, "--digest=sha256")


async def load_with_the_kernels_own(guest: Guest) -> None:
    """The C implementation, by kexec_file_load(2)."""
    await guest.load_by_the_kernels_own(COMMAND_LINE)


IMPLEMENTATIONS: dict[str, Loader] = {
    RUST_KEXEC: load_with_ours,
    RUST_KEXEC_SHA256: load_with_sha256,
    KERNELS_OWN: load_with_the_kernels_own,
}


# The parts of the crash path, and the seconds that each took by a report.
PARTS: dict[str, Callable[[Report], float]] = {
    "stopping the other CPUs": lambda r: r.seconds(r.noticed, r.stopped),
    "checking the purgatory": lambda r: r.seconds(r.stopped, r.purgatory_checked),
    "silencing interrupts": lambda r: r.seconds(r.purgatory_checked, r.left),
    "entering the purgatory": lambda r: r.seconds(r.left, r.purgatory_entered),
    "checking the digests": lambda r: r.seconds(r.purgatory_entered, r.checked),
    "together": lambda r: r.seconds(r.noticed, r.kernel_entered),
}


@dataclass
class Crash:
    """The figures of one crash."""

    seconds: float
    """To the capture kernel's first line."""
    digest: str | None = None
    """The digest that the purgatory checked."""
    report: Report | None = None
    """The report that our crash path left."""


async def crash(name: str) -> Crash:
    """One crash."""
    command_line = f"crashkernel=256M {PLATFORM.early_console}"
    async with boot(paths.results("bench", paths.RUN), command_line=command_line) as guest:
        await IMPLEMENTATIONS[name](guest)
        kernel = (await guest.status()).segments.get("kernel")
        await guest.crash()
        await guest.captured()
        console, start = guest.machine.console, guest.crash_line
        panic = await guest.machine.until(
            console.line("Kernel panic - not syncing", start), "the panic message", PATIENCE
        )
        first = await guest.machine.until(
            console.line(FIRST_LINE, start), "the capture kernel's first line", PATIENCE
        )
        crash = Crash(first.seconds - panic.seconds)
        if kernel is not None:
            crash.digest = kernel.digest.algorithm if kernel.digest else None
            # The notes are at its start.
            with Dump(await guest.save_vmcore(limit=MIB)) as dump:
                crash.report = dump.report
        return crash


def parts(name: str, crashes: list[Crash]) -> None:
    """Prints what the time of ours consists of."""
    digests = " and ".join(sorted({str(crash.digest) for crash in crashes}))
    print(f"\n{name} ({digests}), first hook to the capture kernel's entry, median (range):")
    for part, time_of in PARTS.items():
        found = [1000 * time_of(crash.report) for crash in crashes if crash.report]
        print(f"  {part:<24} {spread(found, 2, ' ms', width=8)}")


def main() -> None:
    """Runs both by turns and prints medians and their ratio."""
    runs = options(__doc__, runs=5, what="crashes of each").parse_args().runs

    async def crash_and_tell(name: str, run: int) -> Crash:
        found = await crash(name)
        print(f"run {run + 1} of {runs}: {name:<17} {found.seconds:.3f} s", flush=True)
        return found

    crashes = asyncio.run(by_turns(IMPLEMENTATIONS, runs, crash_and_tell))
    times = {name: [crash.seconds for crash in found] for name, found in crashes.items()}
    print("\nFrom the panic message to the capture kernel's first line, median (range):")
    show_seconds(times)
    if not PLATFORM.kernels_own_checks:
        print("The kernel's own checks no digest.")
    for name, found in crashes.items():
        if name != KERNELS_OWN:
            parts(name, found)


if __name__ == "__main__":
    main()
