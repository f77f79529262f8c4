# SPDX-License-Identifier: GPL-2.0
"""The module finds out which kernel it is in, and does with the memory that it has."""

import pytest

from harness import paths
from harness.crash.scenario import Scenario
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, iomem, kernel_words, mapped_areas, symbols
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS, measured
from harness.machine.hardware import Hardware
from harness.steps.reserving import keep_of_the_reservation
from harness.testing import in_capture_kernel, in_guest
from harness.units import MIB


@pytest.mark.skipif(
    paths.has(paths.TARGET, "STRICT_DEVMEM"), reason="the kernel's memory cannot be written to"
)
@in_guest(Hardware(cpus=1))
async def test_an_address_that_is_lost(guest: Guest) -> None:
    """A kernel that had an elfcorehdr does not become one that waits for a crash."""
    await guest.shell("rmmod rust_kexec")
    addresses = await symbols(guest, "_text", "elfcorehdr_addr")
    [code] = await iomem(guest, "Kernel code")
    place = code.start + addresses["elfcorehdr_addr"] - addresses["_text"]
    # ELFCORE_ADDR_ERR: what a kernel leaves that has read the header itself.
    await guest.shell(
        "printf '\\376\\377\\377\\377\\377\\377\\377\\377' | "
        f"dd of=/dev/mem bs=8 oflag=seek_bytes seek={place} conv=notrunc"
    )
    assert (await guest.run("insmod", paths.GUEST_MODULE)).status != 0
    assert (await kernel_words(guest, "rust_kexec:"))[-1].startswith(
        "rust_kexec: there will be no /proc/vmcore: this kernel was given the address"
    )
    assert (await guest.run("test", "-e", "/dev/rust_kexec")).status == 1


@pytest.mark.skipif(not HAS_BOTH, reason="a kernel without a file of its own keeps the address")
@in_capture_kernel(Scenario(name="without-proc"))
async def test_without_proc(guest: Guest) -> None:
    """The module finds its role where nobody has mounted /proc yet."""
    await guest.shell(
        f"rmmod rust_kexec; umount /proc; insmod {paths.GUEST_MODULE}; mount -t proc proc /proc"
    )
    assert (await guest.run("test", "-e", OURS)).status == 0
    assert await complaints(guest) == []


async def keep_64_mib(guest: Guest) -> None:
    """Has the capture kernel have little memory."""
    await keep_of_the_reservation(guest, 64 * MIB)


@pytest.mark.skipif(HAS_BOTH, reason="makedumpfile in the initrd leaves no room in 64 MiB")
@in_capture_kernel(Scenario(name="64-mib", command_line="crashkernel=96M", prepare=(keep_64_mib,)))
async def test_a_reader_with_little_memory(guest: Guest) -> None:
    [line] = await kernel_words(guest, "memory is in /proc")
    windows = int(line.split(" read through ")[1].split()[0])
    assert windows < 8
    idle = len(await mapped_areas(guest))
    whole = await measured(guest, THEIRS, "--read", str(MIB))
    assert whole > 0
    await measured(guest, THEIRS, "--read", "4096", "--readers", "4")
    await measured(guest, THEIRS, "--map", str(4 * MIB), "--readers", "2")
    assert len(await mapped_areas(guest)) - idle <= windows
    assert await complaints(guest) == []
