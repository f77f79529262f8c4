# SPDX-License-Identifier: GPL-2.0
"""Steps that fill memory, or make it come and go."""

from harness.checks.ranges import without
from harness.crash.scenario import Facts
from harness.guest.guest import PATIENCE, Guest
from harness.guest.kernel import iomem
from harness.units import GIB, MIB

PAGES = 64

# What `,cma` asks for.
SHARED_MIB = 256

# A block of memory, of which a DIMM must have whole ones, with pages of 64 KiB.
DIMM_MIB = 512


async def fill_pages(guest: Guest, facts: Facts) -> None:
    """A process fills pages below and above the crash region, and above 4 GiB where there are."""
    region = facts.status.region
    arguments = ["--below", hex(region.start), "--above", hex(region.stop)]
    if any(ram.stop > 4 * GIB for ram in facts.system_ram):
        arguments += ["--high", hex(4 * GIB)]
    await hold_pages(guest, facts, arguments)


async def fill_pages_below(guest: Guest, facts: Facts) -> None:
    """A process fills pages below the crash region, above which there may be no more memory."""
    await hold_pages(guest, facts, ["--below", hex(facts.status.region.start)])


async def shared_with_the_kernel(guest: Guest, facts: Facts) -> None:
    """Asserts that the capture kernel gets what the kernel says it shares with it."""
    text = await guest.read("/sys/kernel/kexec/crash_cma_ranges")
    places = [[int(number, 16) for number in line.split("-")] for line in text.splitlines()]
    shared = facts.status.shared_regions
    assert shared == [range(start, end + 1) for start, end in sorted(places)]
    assert sum(len(one) for one in shared) == SHARED_MIB * MIB
    assert not any(without(one, facts.system_ram) for one in shared)


async def hold_pages(guest: Guest, facts: Facts, arguments: list[str]) -> None:
    """A process fills pages in parts of the memory."""
    seed = facts.random.getrandbits(32)
    arguments = [*arguments, "--pages", str(PAGES)]
    facts.pattern = await guest.spawn("pattern", "--seed", str(seed), *arguments)
    facts.pattern["seed"] = seed
    facts.pattern["classes"] = {name.removeprefix("--") for name in arguments[::2]} - {"pages"}


async def plug_memory(guest: Guest, name: str) -> None:
    """A DIMM comes, and the kernel uses it."""
    before = await memory_blocks(guest)
    await guest.machine.plug_memory(name, DIMM_MIB)
    await blocks_online(guest, before + await dimm_blocks(guest))


async def plug_and_pull_memory(guest: Guest, facts: Facts) -> None:
    """Two DIMMs come and the second one goes; a process fills pages of the one that stays."""
    for name in ("first", "second"):
        await plug_memory(guest, name)
    added = await system_ram(guest) - set(facts.system_ram)
    blocks = await memory_blocks(guest)
    await guest.machine.until(
        guest.machine.pull_memory("second"), "the guest to let go of a DIMM", PATIENCE
    )
    await blocks_online(guest, blocks - await dimm_blocks(guest))
    left = await system_ram(guest)
    facts.pulled = list(added - left)
    facts.system_ram = sorted(left, key=lambda ram: ram.start)
    [stays] = added & left
    await hold_pages(guest, facts, ["--high", hex(stays.start)])


async def memory_blocks(guest: Guest) -> int:
    """The number of blocks of memory that the kernel has."""
    return len((await guest.shell("ls -d /sys/devices/system/memory/memory*")).split())


async def dimm_blocks(guest: Guest) -> int:
    """The number of such blocks in a DIMM."""
    size = await guest.read("/sys/devices/system/memory/block_size_bytes")
    return DIMM_MIB * MIB // int(size, 16)


async def blocks_online(guest: Guest, count: int) -> None:
    """Waits until the kernel has this many blocks, all of them online."""

    async def wait() -> None:
        states = "cat /sys/devices/system/memory/memory*/state"
        # While one goes, its file may have gone first.
        while (await guest.run("sh", "-c", states)).stdout.split() != ["online"] * count:
            pass

    await guest.machine.until(wait(), f"{count} blocks of memory", PATIENCE)


async def system_ram(guest: Guest) -> set[range]:
    """The pieces of memory that the kernel has."""
    return set(await iomem(guest, "System RAM"))
