# SPDX-License-Identifier: GPL-2.0
"""Loading and unloading the module and its image, again and again, leaves nothing behind."""

import re
from dataclasses import dataclass

import pytest

from harness import paths
from harness.cases.case import GOOD
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.testing import in_guest

ROUNDS = 100
WARM_UP = 10

# A leak of one page, or of one object of a slab, in each round would come to ROUNDS. The
# figures of an idle guest move by less than half of that.
TOLERANCE = ROUNDS * 3 // 4

# Memory that the kernel maps by small pages, in KiB. x86_64 has this line.
SMALL_PAGES = re.compile(r"^DirectMap4k: +(\d+)", re.MULTILINE)
KIB_OF_A_TABLE = 2048

FREE_PAGES = re.compile(r"^ *(?:pages free|count:) +(\d+)$", re.MULTILINE)

# Replaces the guest's own kernel, of which each load takes its time.
SMALL_KERNEL = "/tmp/kernel"

CYCLE = f"""
for round in $(seq %d); do
    insmod {paths.GUEST_MODULE}
    rkexec --load-panic {paths.GUEST_KERNEL} --command-line=console={PLATFORM.console}
    rkexec --load-panic {SMALL_KERNEL} --command-line=console={PLATFORM.console}
    rkexec --unload
    rmmod rust_kexec
done
"""


@dataclass(frozen=True)
class Figures:
    """The kernel's figures of what it has in use."""

    free_pages: int
    page_tables: int
    """Of the memory that the kernel maps by small pages."""
    vmalloc_areas: int
    slab_objects: dict[str, int]
    iomem: str


async def figures(guest: Guest) -> Figures:
    """The figures, once all that can be freed is."""
    await guest.shell("echo 3 > /proc/sys/vm/drop_caches")
    zones = await guest.read("/proc/zoneinfo")
    memory = await guest.read("/proc/meminfo")
    slabs = (line.split() for line in (await guest.read("/proc/slabinfo")).splitlines()[2:])
    return Figures(
        # Pages that a CPU keeps for itself are as free as the rest.
        free_pages=sum(int(pages) for pages in FREE_PAGES.findall(zones)),
        page_tables=sum(int(kib) // KIB_OF_A_TABLE for kib in SMALL_PAGES.findall(memory)),
        vmalloc_areas=len((await guest.read("/proc/vmallocinfo")).splitlines()),
        slab_objects={fields[0]: int(fields[1]) for fields in slabs},
        iomem=await guest.read("/proc/iomem"),
    )


@pytest.mark.long
@in_guest(Hardware(cpus=1))
async def test_nothing_leaks(guest: Guest) -> None:
    await guest.send(SMALL_KERNEL, GOOD())
    await guest.shell("rmmod rust_kexec")
    await guest.shell(CYCLE % WARM_UP, timeout_s=300)
    before = await figures(guest)
    await guest.shell(CYCLE % ROUNDS, timeout_s=900)
    after = await figures(guest)
    # The kernel maps a module's memory by small pages, wherever that is, and goes on doing so.
    tables = after.page_tables - before.page_tables
    lost = before.free_pages - after.free_pages - tables
    areas = after.vmalloc_areas - before.vmalloc_areas
    grown = {
        name: count - before.slab_objects.get(name, 0) for name, count in after.slab_objects.items()
    }
    largest = max(grown, key=lambda name: grown[name])
    print(
        f"after {ROUNDS} rounds: {lost} pages fewer free besides {tables} page tables, {areas} "
        f"vmalloc areas and "
        f"{grown[largest]} objects of {largest} more"
    )
    assert lost < TOLERANCE
    assert areas < TOLERANCE
    assert grown[largest] < TOLERANCE
    assert after.iomem == before.iomem
