# SPDX-License-Identifier: GPL-2.0
"""The kernel itself cannot write to a loaded image, and can again once that is gone."""

from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.guest.boot import boot
from harness.guest.guest import Guest
from harness.guest.kernel import iomem
from harness.guest.status import Status
from harness.machine.hardware import Hardware
from harness.testing import needs

pytestmark = [
    needs("DEVMEM"),
    pytest.mark.skipif(
        paths.has(paths.TARGET, "STRICT_DEVMEM"),
        reason="the kernel lets nobody write to its memory",
    ),
]

# How the kernel maps the region before it is protected: by 2 MiB and larger, to an edge amid what
# one entry maps, by the largest there are with other memory, or by pages.
CASES = {
    "large-pages": (1024, "crashkernel=256M"),
    "uneven-end": (1024, "crashkernel=261184K"),
    **{
        "x86_64": {"largest-pages": (6144, "crashkernel=256M@4624M nokaslr")},
        "arm64": {
            "largest-pages": (6144, "crashkernel=256M@2050M nokaslr"),
            "pages": (1024, "crashkernel=256M rodata=full"),
        },
    }[paths.ARCH],
}


async def byte(guest: Guest, address: int) -> int:
    """A byte of physical memory."""
    return int(
        await guest.shell(f"dd if=/dev/mem bs=1 count=1 skip={address} 2>/dev/null | xxd -p"), 16
    )


async def written(guest: Guest, address: int) -> bool:
    """Flips a byte through the kernel's map of all RAM, by write(2), and says whether it took it.

    A write to read-only memory fails, or kills the process that asked for it.
    """
    before = await byte(guest, address)
    written = before ^ 0xFF
    await guest.run(
        "sh", "-c", f"printf '\\{written:o}' | dd of=/dev/mem bs=1 conv=notrunc seek={address}"
    )
    after = await byte(guest, address)
    assert after in (before, written)
    return after == written


def places(status: Status, random: Random) -> list[int]:
    """The first byte of the image, the last one, and one of each segment."""
    extent = status.extent
    each = [random.choice(segment.memory) for segment in status.segments.values()]
    return [extent.start, extent.stop - 1, *each]


def unused(region: range, status: Status) -> int:
    """A byte amid what the image leaves of the region."""
    extent = status.extent
    below, above = range(region.start, extent.start), range(extent.stop, region.stop)
    longer = max(below, above, key=len)
    return longer[len(longer) // 2]


async def any_written(guest: Guest, addresses: list[int]) -> bool:
    """Whether the kernel can write to any of these."""
    return any([await written(guest, address) for address in addresses])


@pytest.mark.parametrize(("memory_mib", "command_line"), CASES.values(), ids=CASES.keys())
async def test_write_protection(
    memory_mib: int, command_line: str, directory: Path, random: Random
) -> None:
    hardware = Hardware(memory_mib=memory_mib)
    async with boot(directory, hardware, command_line) as guest:
        [region] = await iomem(guest, "Crash kernel")
        for _ in range(2):
            await guest.load()
            first = await guest.status()
            assert not await any_written(guest, places(first, random))
            # What is in no image is not protected.
            assert await written(guest, unused(region, first))
            await guest.load()
            second = await guest.status()
            assert not second.overlaps(first)
            assert not await any_written(guest, places(second, random))
            for place in (*places(first, random), unused(region, second)):
                assert await written(guest, place), hex(place)
            await guest.unload()
            for place in (*places(first, random), *places(second, random)):
                assert await written(guest, place), hex(place)
        # Memory beside the region was in one mapping with it.
        await guest.load()
        for place in (region.start - 1, region.stop):
            await byte(guest, place)
        await guest.crash()
        await guest.captured()
