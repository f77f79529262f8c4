# SPDX-License-Identifier: GPL-2.0
"""Checks of which memory is in the dump, and what it holds."""

import struct

from harness.crash.scenario import Facts
from harness.dump.dump import Dump
from harness.steps.memory import PAGES
from harness.units import PAGE

U64 = (1 << 64) - 1


def many_pieces(dump: Dump, facts: Facts) -> None:
    """There is a PT_LOAD for each piece of a memory that has more than 64."""
    assert len(facts.system_ram) > 64
    assert len(dump.loads) > 64


def pulled_memory_left_out(dump: Dump, facts: Facts) -> None:
    """Memory that was pulled out is not in the dump."""
    assert facts.pulled
    for gone in facts.pulled:
        for load in dump.loads:
            assert load.physical >= gone.stop or load.physical + load.size <= gone.start, load


def waited_for_devices(dump: Dump, facts: Facts) -> None:
    """The crash path waited for devices that may write to memory of the capture kernel."""
    wait = facts.status.shared_wait_ms
    assert wait
    report = dump.report
    # The kernel counts loops, and has seen at boot how many a second has: on an emulated machine
    # not exactly so many.
    assert report.seconds(report.silenced, report.left) >= wait / 1000 / 4


def pattern_pages(dump: Dump, facts: Facts) -> None:
    """Each filled page is at its physical address in the dump, byte for byte."""
    found: dict[str, int] = {}
    for page in facts.pattern["pages"]:
        address = int(page["physical"], 16)
        expected = pattern(facts.pattern["seed"], address)
        assert dump.physical(address, PAGE) == expected, page
        assert dump.program.read(address, PAGE, True) == expected, page
        found[page["class"]] = found.get(page["class"], 0) + 1
    assert found == dict.fromkeys(facts.pattern["classes"], PAGES)


def pattern(seed: int, address: int) -> bytes:
    """The contents that `pattern` of userspace/guest gives to the page at this physical address."""
    state = seed ^ address
    words = []
    for _ in range(PAGE // 8):
        state = (state + 0x9E3779B97F4A7C15) & U64
        word = state
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & U64
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & U64
        words.append(word ^ (word >> 31))
    return struct.pack(f"<{len(words)}Q", *words)
