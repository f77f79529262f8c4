# SPDX-License-Identifier: GPL-2.0
"""The second part of `make bench`: how long a load takes, ours and the kernel's.

One guest loads the same kernel and initrd with both, by turns, and drops each again, so that
whatever else the host does meets both. A time is that of a program that opens the files, loads
them and ends. Each loads for two programs: one that makes the system call and nothing else, which
compares the kernel's part, and the one that people run, rkexec or kexec-tools' `kexec -s`, which
looks at the files itself first. Only the ratios tell anything: absolute times are the host's.

On arm64 kexec_file_load computes no digest of what it loads, and nobody checks any at the crash.
Ours does both.
"""

import asyncio
import time

from harness import paths
from harness.benchmarks.measurement import (
    KERNELS_OWN,
    RUST_KEXEC,
    by_turns,
    options,
    show_seconds,
)
from harness.dump.tools import runs_in_guests
from harness.guest.boot import boot
from harness.guest.guest import Guest
from harness.guest.loading import (
    CAPTURE,
    KEXEC_FILE_UNLOAD,
    KEXEC_UNLOAD,
    RKEXEC_UNLOAD,
    device_request,
    kexec,
    kexec_file_load,
    rkexec,
)
from harness.guest.tools import install_tool
from harness.images.signing import Signer

KERNEL = "/tmp/kernel"
COMMAND_LINE = "/tmp/command-line"

# The programs by which each loads, and unloads again.
IMPLEMENTATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rkexec": (rkexec(KERNEL), RKEXEC_UNLOAD),
    "rkexec, SHA-256": ((*rkexec(KERNEL), "--digest=sha256"), RKEXEC_UNLOAD),
    RUST_KEXEC: (
        (*device_request(KERNEL, COMMAND_LINE), f"--initrd={paths.GUEST_INITRD}"),
        RKEXEC_UNLOAD,
    ),
    KERNELS_OWN: (kexec_file_load(KERNEL), KEXEC_FILE_UNLOAD),
}
KEXEC_TOOLS = "kexec -s"
if runs_in_guests("kexec"):
    IMPLEMENTATIONS[KEXEC_TOOLS] = (kexec(KERNEL), KEXEC_UNLOAD)


async def seconds(guest: Guest, name: str) -> float:
    """One load."""
    load, unload = IMPLEMENTATIONS[name]
    start = time.monotonic()
    (await guest.run(*load)).check()
    end = time.monotonic()
    (await guest.run(*unload)).check()
    return end - start


async def compare(guest: Guest, what: str, runs: int) -> None:
    """Runs both by turns and prints medians and their ratio."""
    # The first load of each finds cold caches, and the translator of QEMU without their code; ours
    # also puts its hooks in, which then stay.
    times = await by_turns(IMPLEMENTATIONS, runs, lambda name, _: seconds(guest, name), warm_up=1)
    print(f"\nLoading {what}, median of {runs} (range):")
    show_seconds(times, [name for name in (KERNELS_OWN, KEXEC_TOOLS) if name in times])


async def bench(runs: int) -> None:
    """Both kinds of kernel, in one guest."""
    kernel = paths.CAPTURE_KERNEL.read_bytes()
    async with boot(paths.results("bench-load", paths.RUN)) as guest:
        await guest.shell(f"printf %s '{CAPTURE}' > {COMMAND_LINE}")
        if KEXEC_TOOLS in IMPLEMENTATIONS:
            await install_tool(guest, "kexec")
        for what, file in (
            ("a kernel without a signature", kernel),
            ("a signed kernel", Signer.trusted("signer").sign(kernel)),
        ):
            await guest.send(KERNEL, file)
            await compare(guest, what, runs)


def main() -> None:
    """Prints what it measures."""
    parser = options(__doc__, runs=15, what="loads of each")
    asyncio.run(bench(parser.parse_args().runs))


if __name__ == "__main__":
    main()
