# SPDX-License-Identifier: GPL-2.0
"""The image's own life: while it is replaced, and when it is damaged."""

from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.matrix.row import Outcome, Row
from harness.matrix.trigger import Trigger, Where, panics, sysrq
from harness.steps.replacing import (
    crash_in_a_load,
    have_the_next_check_panic,
    have_the_next_load_panic,
)


async def replace_the_image(guest: Guest, cpu: int) -> None:
    """A load of another image."""
    await crash_in_a_load(guest)


IN_A_LOAD = Trigger(
    name="panic in a load",
    cause=replace_the_image,
    says=panics("a chosen function is entered$"),
    functions=("entered",),
    task="rkexec",
    where=Where.ANYWHERE,
)

ROWS = (
    Row(
        "replacing-copied",
        "our load, the new image's segments copied",
        IN_A_LOAD,
        before=(have_the_next_load_panic,),
    ),
    Row(
        "replacing-checked",
        "our load, the new image in its place",
        IN_A_LOAD,
        before=(have_the_next_check_panic,),
    ),
    Row(
        "damaged-image",
        "task, a bit of the purgatory flipped after the load",
        sysrq(),
        hardware=Hardware(memory_mib=768, open_memory=True),
        outcome=Outcome.GIVEN_UP,
    ),
)
