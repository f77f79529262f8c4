# SPDX-License-Identifier: GPL-2.0
"""Steps that set memory aside while the kernel runs."""

from harness import paths
from harness.checks.ranges import hex_range, without
from harness.crash.scenario import Facts, Preparation
from harness.guest.guest import Guest
from harness.guest.kernel import iomem
from harness.units import MIB, PAGE

CRASH_SIZE = "/sys/kernel/kexec_crash_size"

# Enough for the guests' capture kernel, and more than one hole of a fragmented memory has.
SIZE_MIB = 192

# A piece of memory that cannot be moved in each so many MiB, while so much is left.
EVERY_MIB = 128
LEAVE_MIB = 64


async def reserve(guest: Guest) -> None:
    """Takes memory."""
    assert (await guest.status()).region == range(0)
    (await guest.rkexec("reserve", f"{SIZE_MIB}M")).check()
    await taken(guest)


async def insert_with_reserve(guest: Guest) -> None:
    """Has the module take memory when it is inserted."""
    await guest.shell(f"rmmod rust_kexec; insmod {paths.GUEST_MODULE} reserve={SIZE_MIB}M")
    await taken(guest)


async def give_a_part_back(guest: Guest) -> None:
    """Keeps a part of what crashkernel= has reserved."""
    assert len((await guest.status()).region) > SIZE_MIB * MIB
    (await guest.rkexec("reserve", f"{SIZE_MIB}M")).check()
    status = await guest.status()
    assert (status.source, len(status.region)) == ("crashkernel=", SIZE_MIB * MIB)


async def keep_of_the_reservation(guest: Guest, size: int) -> None:
    """Gives back what crashkernel= reserved, but for this and what the agent's channel needs."""
    size = (size + await guest.machine.channel_buffers()) // PAGE * PAGE
    await guest.shell(f"echo {size} > {CRASH_SIZE}")
    assert int(await guest.read(CRASH_SIZE)) == size


async def fragment(guest: Guest, every_mib: int = EVERY_MIB, leave_mib: int = LEAVE_MIB) -> None:
    """Scatters memory that cannot be moved."""
    await guest.spawn("fragment", "--every", str(every_mib), "--leave", str(leave_mib))


async def taken(guest: Guest) -> None:
    """Asserts that what was asked for was taken, from the memory that the kernel says it has."""
    status = await guest.status()
    assert status.source == "run time"
    assert sum(len(region) for region in status.regions) == SIZE_MIB * MIB
    ram = await iomem(guest, "System RAM")
    for region in status.regions:
        assert any(region.start in one and region.stop - 1 in one for one in ram), region


def named(*regions: range) -> str:
    """The parameter that names memory."""
    places = (f"{len(region):#x}@{region.start:#x}" for region in regions)
    return f"region={','.join(places)}"


def insert_with_region(*regions: range) -> Preparation:
    """Has the module use memory that was kept free."""

    async def insert(guest: Guest) -> None:
        ram = await iomem(guest, "System RAM")
        for region in regions:
            assert not any(region.start < one.stop and one.start < region.stop for one in ram)
        await guest.shell(f"rmmod rust_kexec; insmod {paths.GUEST_MODULE} {named(*regions)}")
        status = await guest.status()
        assert status.source == "region="
        assert sorted(status.regions, key=lambda one: one.start) == list(regions)
        assert await iomem(guest, "rust_kexec") == list(regions)
        if paths.has(paths.TARGET, "CRASH_DUMP"):
            size = int(await guest.read(CRASH_SIZE))
            assert size == sum(len(region) for region in regions)

    return insert


async def write_protected(guest: Guest, facts: Facts) -> None:
    """Asserts that the image cannot be written to."""
    assert facts.status.write_protected


async def in_pieces(guest: Guest, facts: Facts) -> None:
    """Asserts that it was not one piece."""
    assert facts.status.more_regions
    assert len(facts.status.region) == max(len(region) for region in facts.status.regions)


async def all_is_used(guest: Guest, facts: Facts) -> None:
    """Asserts that the capture kernel has all memory that is meant for it, and no more."""
    first = 1 * MIB
    ram = [range(max(one.start, first), one.stop) for one in await iomem(guest, "System RAM")]
    usable = facts.status.usable
    assert not any(without(one, usable) for one in ram), ram
    for region in usable:
        # What the crashed kernel left in the region is no RAM of the capture kernel's.
        lost = sum(len(rest) for rest in without(region, ram))
        assert lost < len(region) // 4, (hex_range(region), ram)
