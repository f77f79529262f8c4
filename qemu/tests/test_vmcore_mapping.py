# SPDX-License-Identifier: GPL-2.0
"""`/proc/vmcore` is mapped as it is read, in pages of whatever size the capture kernel has."""

from random import Random

from harness import paths
from harness.crash.scenario import Scenario
from harness.guest.guest import Guest
from harness.guest.vmcore import part
from harness.testing import in_capture_kernel
from harness.units import MIB, PAGE

PLACES = 16
# The largest pages that there are.
STEP = 64 << 10
# The crashed kernel's text comes first, in which hardly two pages are alike, except for the zeros
# between its sections.
TEXT = range(0, 6 * MIB, STEP)


@in_capture_kernel(Scenario(name="mapping"))
async def test_mapped_is_what_is_read(guest: Guest, random: Random) -> None:
    contents = set()
    for offset in random.sample(TEXT, PLACES):
        contents.add(await part(guest, paths.SERVED, offset, PAGE))
    assert len(contents) > PLACES // 2
