# SPDX-License-Identifier: GPL-2.0
"""Which pages rkdump leaves out, on a guest whose pages have known uses.

Three things say so: a program that knew what it used its pages for, the kernel's own structures by
drgn, and makedumpfile. Where makedumpfile keeps other pages, each of them must be one that it is
known to be wrong about, by the page's struct.
"""

import collections
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from drgn import FaultError, Object, Program
from drgn.helpers.linux.mm import (
    PageHWPoison,
    PageReserved,
    PageTail,
    compound_head,
    follow_phys,
    page_to_pfn,
    pfn_to_page,
)
from drgn.helpers.linux.pid import for_each_task

from harness import paths
from harness.crash.run import saved_dump
from harness.crash.scenario import Facts, Scenario
from harness.dump import tools
from harness.dump.bitmap import Bitmaps, frames
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.testing import needs_rkdump

LEVELS = (0, 1, 2, 4, 8, 16, 31)
CACHE, PRIVATE_CACHE, USER, FREE = 2, 4, 8, 16
HUGE_PAGES = 6

# What is left out with each use of page-uses. The contents of a page that is poisoned are never
# read.
LEFT_OUT = {
    "anonymous": USER,
    "huge": USER,
    "hugetlb": USER,
    "shmem": CACHE | PRIVATE_CACHE,
}
POISONED = ("poisoned", "poisoned-huge", "poisoned-hugetlb", "poisoned-shared-hugetlb")

# Of include/linux/page-flags.h: the types that a page may have, and the last that is the kernel's.
TYPES = range(0xF0, 0xFF)
NOT_THE_KERNELS = {0xF0, 0xF1, 0xF4, 0xF7}

pytestmark = needs_rkdump


async def use_pages(guest: Guest, facts: Facts) -> None:
    """A process holds pages of each use that this kernel knows."""
    options = ["--device", "/dev/vda"]
    if not paths.missing(paths.TARGET, ["TRANSPARENT_HUGEPAGE"]):
        options.append("--huge")
    if not paths.missing(paths.TARGET, ["HUGETLBFS"]):
        await guest.shell(f"echo {HUGE_PAGES} > /proc/sys/vm/nr_hugepages")
        options.append("--hugetlb")
    if not paths.missing(paths.TARGET, ["MEMORY_FAILURE"]):
        options.append("--poison")
    facts.page_uses = (await guest.spawn("page-uses", *options))["uses"]


USED = Scenario(
    name="dump-filter",
    hardware=Hardware(cpus=2, memory_mib=768),
    # Most structs of a huge page are not there, where the kernel can do that.
    command_line="crashkernel=256M hugetlb_free_vmemmap=on",
    before=(use_pages,),
)


class Filtered:
    """A dump, and what is left of it at each level."""

    def __init__(self, dump: Dump, facts: Facts, directory: Path) -> None:
        self.dump = dump
        self.facts = facts
        self.out = directory / "filtered"
        self.ours = {level: self._by_us(level) for level in LEVELS}

    def _by_us(self, level: int) -> Bitmaps:
        return self.saved("makedumpfile", "-l", "-d", str(level))

    def saved(self, *words: str) -> Bitmaps:
        """What rkdump leaves of it, called by a name with options."""
        self.out.unlink(missing_ok=True)
        tools.rkdump(*words, self.dump.path, self.out)
        return self._read()

    def by_makedumpfile(self, level: int) -> Bitmaps:
        """What makedumpfile leaves of it."""
        tools.makedumpfile(self.dump.path, self.out, "-l", "-d", str(level))
        return self._read()

    def _read(self) -> Bitmaps:
        try:
            return Bitmaps.read(self.out)
        finally:
            self.out.unlink()

    @property
    def page_size(self) -> int:
        """The size of the crashed kernel's pages."""
        return int(self.dump.vmcoreinfo["PAGESIZE"])

    def levels_with(self, frame: int) -> set[int]:
        """The levels at which a frame is kept."""
        return {level for level, bitmaps in self.ours.items() if bitmaps.dumped >> frame & 1}


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filtered]:
    """A dump for all tests here."""
    directory = tmp_path_factory.mktemp("filter")
    with saved_dump(USED, directory) as (dump, facts):
        yield Filtered(dump, facts, directory)


def test_known_pages(filtered: Filtered) -> None:
    """The pages of a process are left out at the levels that say so, and at no other."""
    uses = filtered.facts.page_uses
    assert {"anonymous", "shmem"} <= uses.keys()
    for use, addresses in uses.items():
        assert addresses, use
        expected = set()
        if use not in POISONED:
            expected = {level for level in LEVELS if not level & LEFT_OUT[use]}
        for address in addresses:
            frame = int(address, 16) // filtered.page_size
            assert filtered.levels_with(frame) == expected, (use, address)


def test_needed_pages(filtered: Filtered) -> None:
    """What the analysis of a crash needs is there at each level."""
    program = filtered.dump.program
    size = filtered.page_size
    needed: dict[str, set[int]] = collections.defaultdict(set)
    kernel = program["init_mm"].address_of_()

    def add(name: str, start: int, end: int) -> None:
        for address in range(start // size * size, end, size):
            needed[name].add(int(follow_phys(kernel, address)) // size)

    for first, last in (("_stext", "_etext"), ("_sdata", "_edata"), ("__bss_start", "__bss_stop")):
        add("image", program.symbol(first).address, program.symbol(last).address)
    # x86_64 frees a part of the image where memory is not encrypted.
    for first, last in (("__start_bss_decrypted_unused", "__end_bss_decrypted"),):
        with contextlib.suppress(LookupError):
            add("freed", program.symbol(first).address, program.symbol(last).address)
    needed["image"] -= needed.pop("freed", set())
    for task in for_each_task(program):
        add("tasks", int(task), int(task) + program.type("struct task_struct").size)
        add("stacks", int(task.stack), int(task.stack) + stack_size(program, size))
        if task.mm:
            add("page tables", int(task.mm.pgd), int(task.mm.pgd) + 1)
    for name, found in needed.items():
        print(f"{name}: {len(found)} pages")
        for frame in found:
            assert filtered.levels_with(frame) == set(LEVELS), (name, hex(frame * size))


def stack_size(program: Program, page_size: int) -> int:
    """The size of a task's stack, by a task of which the kernel has it."""
    sizes = {
        int(task.stack_vm_area.nr_pages) * page_size
        for task in for_each_task(program)
        if task.stack_vm_area
    }
    [size] = sizes
    return size


def test_unused_page_structs(filtered: Filtered) -> None:
    """With the option, a page of page structs is left out if none of them is of a kept page."""
    program, size = filtered.dump.program, filtered.page_size
    whole = filtered.ours[31].dumped
    options = ("--exclude-unused-vmemmap", "-d", "31")
    rest = filtered.saved("rkdump", "save", "--no-manifest", *options).dumped
    assert rest & ~whole == 0
    struct = program.type("struct page").size
    # Sections of memory have all page structs, whether there is memory for each or not.
    section = (1 << int(filtered.dump.vmcoreinfo["NUMBER(SECTION_SIZE_BITS)"])) // size
    last = -(-int(program["max_pfn"]) // section) * section
    # The structs of a huge page may be mapped to one frame, many times.
    kept: set[int] = set()
    unused: set[int] = set()
    start = int(pfn_to_page(program, 0))
    for address in range(start, start + last * struct, size):
        first = (address - start) // struct
        structs = range(first, -(-(address + size - start) // struct))
        try:
            frame = int(follow_phys(program["init_mm"].address_of_(), address)) // size
        except FaultError:
            continue
        of_kept = any(whole >> number & 1 for number in structs)
        (kept if of_kept else unused).add(frame)
    assert set(frames(whole & ~rest)) == {frame for frame in unused - kept if whole >> frame & 1}
    assert unused - kept


@pytest.mark.skipif(not tools.available("makedumpfile"), reason="makedumpfile is not for this dump")
@pytest.mark.parametrize("level", LEVELS)
def test_as_makedumpfile(filtered: Filtered, level: int) -> None:
    """The same pages are left out, but for those that makedumpfile is wrong about."""
    theirs, ours = filtered.by_makedumpfile(level), filtered.ours[level]
    assert ours.memory == theirs.memory
    kept, lost = ours.dumped & ~theirs.dumped, theirs.dumped & ~ours.dumped
    reasons = collections.Counter(
        [
            *(why_kept(filtered, frame, ours) for frame in frames(kept)),
            *(why_left_out(filtered, frame) for frame in frames(lost)),
        ]
    )
    print(f"level {level}: {ours.dumped.bit_count()} pages, {dict(reasons)}")
    assert "" not in reasons, [
        describe(filtered, frame) for frame in [*frames(kept), *frames(lost)][:20]
    ]


def why_kept(filtered: Filtered, frame: int, ours: Bitmaps) -> str:
    """The reason why makedumpfile should have kept a frame too, "" if there is none."""
    page = pfn_to_page(filtered.dump.program, frame)
    if PageReserved(page):
        return "reserved, with flags of another use"
    head = compound_head(page)
    # Its own commit f50c015f150f: Linux 7.1 renamed what tells that a page is another's tail.
    if PageTail(page) and "OFFSET(page.compound_info)" in filtered.dump.vmcoreinfo:
        is_kept = ours.dumped >> int(page_to_pfn(head)) & 1
        return "judged by itself, though another page's tail" if is_kept else ""
    # mapping and lru belong to a typed page's owner.
    if page_type(page) in set(TYPES) - NOT_THE_KERNELS:
        return "of a type that is the kernel's"
    return ""


def why_left_out(filtered: Filtered, frame: int) -> str:
    """The reason why makedumpfile should have left out a frame too, "" if there is none."""
    page = pfn_to_page(filtered.dump.program, frame)
    head = compound_head(page)
    if PageHWPoison(page) or (PageHWPoison(head) and page_type(head) == 0xF4):
        return "defective, and read by makedumpfile"
    # Owners use the type's other bytes; makedumpfile compares them with zero.
    if page_type(page) in (0xF1, 0xF7):
        return "offline or not accepted"
    return ""


def page_type(page: Object) -> int:
    """The highest byte of a page's type, which counts mappings where it is no type."""
    return int(page.page_type) >> 24


def describe(filtered: Filtered, frame: int) -> str:
    """A frame's struct page, for people."""
    page = pfn_to_page(filtered.dump.program, frame)
    levels = sorted(filtered.levels_with(frame))
    return f"{frame:#x}, kept at {levels}: {page[0].format_(dereference=False)}"
