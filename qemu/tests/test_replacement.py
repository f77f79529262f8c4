# SPDX-License-Identifier: GPL-2.0
"""Images that replace each other: beside the armed one, or where it is."""

import pytest

from harness.guest.guest import FIRST_LINE, Guest
from harness.guest.loading import rkexec
from harness.machine.errors import GuestError
from harness.machine.hardware import Hardware
from harness.steps.replacing import (
    COMPLETE,
    COPIED,
    FIRST,
    SECOND,
    crash_in_a_load,
    have_a_load_stop,
)
from harness.testing import in_guest, needs
from harness.units import MIB


@in_guest(Hardware(cpus=2))
async def test_no_room_for_two_images(guest: Guest) -> None:
    """What rkexec -S says is lost then: a crash while the image is copied finds none."""
    await guest.load(FIRST)
    status = await guest.status()
    assert status.replacement == "beside"
    kernel = status.segments["kernel"].memory
    await guest.unload()
    assert (await guest.status()).replacement is None

    # Room for one and a half.
    size = (len(status.extent) + len(kernel) // 2) // MIB * MIB
    await guest.shell(f"echo {size} > /sys/kernel/kexec_crash_size")
    await guest.load(FIRST)
    assert len((await guest.status()).region) == size
    await guest.load(FIRST)
    assert (await guest.status()).replacement == "instead"
    said = (await guest.rkexec("--status")).stdout
    assert "\nreplacement in this image's place: a crash while it is copied is lost;" in said

    await have_a_load_stop(guest, COPIED)
    await crash_in_a_load(guest)
    with pytest.raises(GuestError, match="nobody took over"):
        await guest.captured()
    assert guest.machine.console.find(FIRST_LINE, guest.crash_line) is None


@needs("KEXEC_FILE")
@in_guest(Hardware(cpus=2))
async def test_damaged_copy(guest: Guest) -> None:
    """An image whose copy is not what was copied is not armed, and the armed one stays."""
    await guest.load(FIRST)
    first = await guest.status()
    await guest.load(SECOND)
    before = await guest.status()
    assert not before.overlaps(first)
    # The next one goes where the first one was.
    for kind in ("kernel", "initrd", "purgatory", "purgatory table"):
        victim = first.segments[kind].file
        function = COMPLETE if kind == "purgatory table" else COPIED
        await have_a_load_stop(guest, function, flip=victim[len(victim) // 2])
        refused = await guest.run(*rkexec(command_line=FIRST))
        assert refused.status == 1, kind
        assert f"the copy of the {kind} at {victim.start:#x}-" in refused.stderr
        assert "(EIO)" in refused.stderr
        assert await guest.status() == before
        await guest.shell("rmmod on_entry")
    await guest.load(FIRST)
    assert (await guest.status()).segments["kernel"] == first.segments["kernel"]

    # Nothing of either is left behind.
    await guest.unload()
    await guest.load_by_the_kernels_own()
    await guest.unload_by_the_kernels_own()
    await guest.load(SECOND)
    await guest.crash()
    await guest.captured()
    assert "image=second" in (await guest.read("/proc/cmdline")).split()
