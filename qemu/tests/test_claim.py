# SPDX-License-Identifier: GPL-2.0
"""The reserved memory has one user at a time, also in the middle of a load."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness import paths
from harness.guest.agent import Finished
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE, RKEXEC_UNLOAD, device_request, kexec_file_load
from harness.testing import in_guest, needs
from harness.units import MIB

DISK = "/dev/vda"
SLOW_LOAD = device_request(paths.GUEST_KERNEL, DISK)


async def throttle(guest: Guest, bytes_per_second: int) -> None:
    """Limits the speed of the disk, or lifts the limit with 0."""
    names = ("bps", "bps_wr", "iops", "iops_rd", "iops_wr")
    await guest.machine.execute(
        "block_set_io_throttle", device="disk", bps_rd=bytes_per_second, **dict.fromkeys(names, 0)
    )


class Waiting:
    """A program that waits for the disk."""

    def __init__(self, guest: Guest, argv: tuple[str, ...]) -> None:
        self.guest = guest
        self.argv = argv

    async def start(self) -> None:
        """Starts it, and returns when it waits."""
        await self.guest.shell(
            f"rm -f /tmp/status; (status=0; {' '.join(self.argv)} >/tmp/stdout 2>/tmp/stderr "
            "|| status=$?; echo $status >/tmp/status) </dev/null >/dev/null 2>&1 & "
            f"until grep -qs '^State:.D' /proc/$(pidof {self.argv[0]})/status; do "
            "! test -e /tmp/status; done"
        )

    async def finished(self) -> Finished:
        """Lets the disk answer, and returns how the program ended."""
        await throttle(self.guest, 0)
        status = await self.guest.shell("until test -s /tmp/status; do :; done; cat /tmp/status")
        out, err = [await self.guest.read(f"/tmp/{name}") for name in ("stdout", "stderr")]
        return Finished(self.argv, int(status), out, err)


@asynccontextmanager
async def waiting(guest: Guest, *argv: str) -> AsyncIterator[Waiting]:
    """A program that waits for the disk, which answers once the program's end is asked for."""
    # A file that is cached would not be read from the disk.
    await guest.shell("echo 3 > /proc/sys/vm/drop_caches")
    await throttle(guest, 1)
    # The first read goes through, and uses up the next hour's share.
    await guest.shell(f"dd if={DISK} of=/dev/null bs=4096 count=1 skip=1024 iflag=direct 2>&1")
    program = Waiting(guest, argv)
    await program.start()
    try:
        yield program
    finally:
        await throttle(guest, 0)


async def refused(guest: Guest, *argv: str) -> str:
    """The error of a program that is refused and leaves the image as it was."""
    before = await guest.status()
    finished = await guest.run(*argv)
    assert finished.status != 0, argv
    assert await guest.status() == before, argv
    return finished.stderr


@needs("KEXEC_FILE")
@in_guest()
async def test_claim(guest: Guest) -> None:
    with open(guest.machine.disk, "r+b") as disk:
        disk.write(CAPTURE.encode())

    # The kernel's own kexec is quicker, and does not wait for a load that waits.
    async with waiting(guest, *SLOW_LOAD) as load:
        assert not (await guest.status()).armed
        assert "ENOENT" in await refused(guest, *RKEXEC_UNLOAD)
        await guest.load_by_the_kernels_own()
        finished = await load.finished()
        assert finished.status == 1 and "kexec -p -u" in finished.stderr, finished
    assert await guest.crash_image_is_loaded()
    assert not (await guest.status()).armed
    await guest.unload_by_the_kernels_own()

    # The region shrinks.
    async with waiting(guest, *SLOW_LOAD) as load:
        await guest.shell(f"echo {192 * MIB} > /sys/kernel/kexec_crash_size")
        (await load.finished()).check()
    status = await guest.status()
    assert status.armed
    assert len(status.region) == 192 * MIB
    for segment in status.segments.values():
        assert segment.memory.start >= status.region.start
        assert segment.memory.stop <= status.region.stop

    # The image is there.
    start = f"--at={status.region.start:#x}"
    shrink = ("sh", "-c", "echo 0 > /sys/kernel/kexec_crash_size")
    # The kernel's own error where an image is loaded.
    assert "No such file" in await refused(guest, *shrink)
    assert "EBUSY" in await refused(guest, *kexec_file_load())
    if paths.has(paths.TARGET, "KEXEC"):
        assert "EBUSY" in await refused(guest, "kexec-load", start)
        assert "EBUSY" in await refused(guest, "kexec-load", start, "--32-bits")
    await guest.unload()

    # An image of the kernel's own is on its way.
    if paths.has(paths.TARGET, "KEXEC"):
        async with waiting(guest, "kexec-load", start, f"--from={DISK}") as own:
            said = await refused(guest, "rkexec", "--load-panic", paths.GUEST_KERNEL)
            assert "is loading" in said and "(EBUSY)" in said, said
            (await own.finished()).check()
        assert await guest.crash_image_is_loaded()
        said = await refused(guest, "rkexec", "--load-panic", paths.GUEST_KERNEL)
        assert "kexec -p -u" in said, said
        (await guest.run("kexec-load", "--unload")).check()

    # A load that was refused has not kept the region.
    await guest.load_by_the_kernels_own()
    await guest.unload_by_the_kernels_own()
    await guest.load()
    await guest.crash()
    await guest.captured()
