# SPDX-License-Identifier: GPL-2.0
"""Reboots without firmware: ours, the kernel's own, and a boot by UEFI.

The time is that from reboot(2) to the next kernel's first line, and to its first process. All are
of the same guest, by turns, so that whatever else the host does meets all of them. UEFI's is that
from the start of QEMU, as a machine has it whose devices are reset. Only the ratios tell anything:
absolute times are the host's.
"""

import asyncio
import time
from dataclasses import dataclass

from harness import paths
from harness.benchmarks.measurement import (
    KERNELS_OWN,
    RUST_KEXEC,
    by_turns,
    options,
    show_seconds,
)
from harness.guest.boot import boot
from harness.guest.guest import FIRST_LINE, FIRST_PROCESS, PATIENCE, Guest
from harness.guest.loading import CONSOLE
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM

FILES = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")
LINE = f"{CONSOLE} {PLATFORM.early_console}"
AT_LINKED_ADDRESSES = "the same, nokaslr"
FIRMWARE = "UEFI"


@dataclass
class Reboot:
    """The seconds of one reboot."""

    first_line: float
    first_process: float


async def load(guest: Guest, name: str) -> None:
    """Has this implementation load."""
    if name == KERNELS_OWN:
        # Without the module, what is called kexec asks the kernel.
        await guest.shell("rmmod rust_kexec")
    line = f"{LINE} nokaslr" if name == AT_LINKED_ADDRESSES else LINE
    words = ("--compat",) * (name == KERNELS_OWN)
    (await guest.rkexec(*words, "--load", *FILES, f"--command-line={line}")).check()


async def moments(guest: Guest, start: float, after: int) -> Reboot:
    """When the kernel came that printed behind this line of the console."""
    console = guest.machine.console
    first, process = [
        await guest.machine.until(console.line(pattern, after), pattern, PATIENCE)
        for pattern in (FIRST_LINE, FIRST_PROCESS)
    ]
    return Reboot(first.seconds - start, process.seconds - start)


async def reboot(name: str) -> Reboot:
    """One reboot."""
    hardware = Hardware(firmware=True)
    start = time.monotonic()
    async with boot(paths.results("bench", paths.RUN), hardware, PLATFORM.early_console) as guest:
        if name == FIRMWARE:
            return await moments(guest, start, 0)
        await load(guest, name)
        lines = len(guest.machine.console.lines)
        start = time.monotonic()
        await guest.crash_by_running("rkexec", "--compat", "--exec")
        return await moments(guest, start, lines)


def main() -> None:
    """Runs all by turns and prints medians and their ratios."""
    runs = options(__doc__, runs=5, what="reboots of each").parse_args().runs

    async def reboot_and_tell(name: str, run: int) -> Reboot:
        found = await reboot(name)
        print(
            f"run {run + 1} of {runs}: {name:<17} {found.first_line:.3f} s to the first line, "
            f"{found.first_process:.3f} s to the first process",
            flush=True,
        )
        return found

    names = (RUST_KEXEC, AT_LINKED_ADDRESSES, KERNELS_OWN, FIRMWARE)
    reboots = asyncio.run(by_turns(names, runs, reboot_and_tell))
    print("\nFrom reboot(2) to the next kernel's first line, median (range):")
    show_seconds({name: [one.first_line for one in found] for name, found in reboots.items()})
    print("\nTo its first process:")
    show_seconds({name: [one.first_process for one in found] for name, found in reboots.items()})


if __name__ == "__main__":
    main()
