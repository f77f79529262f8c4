# SPDX-License-Identifier: GPL-2.0
"""One implementation loads, the other one reads: what people have who use the module in one kernel."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness import checks, paths
from harness.dump import Dump
from harness.guest import CAPTURE, Guest, boot
from harness.scenario import Facts, Scenario, crash_and_save, iomem
from harness.vmcore import HAS_BOTH, OURS, THEIRS, complaints

MIXED = Scenario(name="mixed")

# The kernel's own image has no crash report of ours; where it is, /proc/iomem says.
KERNELS_OWN = tuple(
    check for check in checks.ALWAYS if check not in (checks.ours_alone, checks.crash_report)
)


async def no_complaints(guest: Guest, facts: Facts) -> None:
    """The module has read everything that it needs when it is loaded."""
    assert await complaints(guest) == []


async def by_the_kernels_own(directory: Path, random: Random) -> Facts:
    """Loads by kexec_file_load(2), crashes, and saves what our module serves."""
    async with boot(directory, MIXED.hardware, MIXED.command_line) as guest:
        # What the module knows before a load: the region, which both use.
        facts = Facts(
            random,
            guest.hello,
            await guest.status(),
            iomem(await guest.read("/proc/iomem"), "System RAM"),
        )
        await guest.shell("rmmod rust_kexec")
        load = ("kexec-file-load", paths.GUEST_KERNEL, paths.GUEST_INITRD, CAPTURE)
        (await guest.run(*load)).check()
        facts.kernels_own_image = await guest.kernels_own_image_is_loaded()
        facts.crash_time = int(await guest.shell("date +%s"))
        await guest.crash()
        await guest.captured()
        await no_complaints(guest, facts)
        await guest.save_vmcore(path=OURS if HAS_BOTH else THEIRS)
    return facts


def test_loaded_by_the_kernels_own(directory: Path, random: Random) -> None:
    facts = asyncio.run(by_the_kernels_own(directory, random))
    assert facts.kernels_own_image
    with Dump(directory / "vmcore") as dump:
        for check in KERNELS_OWN:
            check(dump, facts)
    dump.path.unlink()


@pytest.mark.skipif(
    not HAS_BOTH, reason="needs a capture kernel with a file of its own: CAPTURE_VARIANT=vmcore"
)
def test_read_by_the_kernels_own(directory: Path, random: Random) -> None:
    facts = asyncio.run(crash_and_save(MIXED, directory, random))
    with Dump(directory / "vmcore") as dump:
        for check in checks.ALWAYS:
            check(dump, facts)
    dump.path.unlink()
