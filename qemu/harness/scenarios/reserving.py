# SPDX-License-Identifier: GPL-2.0
"""Memory that is taken from the running kernel, or given back to it."""

from dataclasses import replace

from harness.checks.memory import pattern_pages
from harness.crash.scenario import Scenario
from harness.machine.hardware import Hardware
from harness.steps.memory import fill_pages_below
from harness.steps.reserving import (
    all_is_used,
    fragment,
    give_a_part_back,
    in_pieces,
    insert_with_reserve,
    reserve,
)

# The kernel is booted without crashkernel=.
RUN_TIME = Scenario(
    name="run-time",
    hardware=Hardware(memory_mib=2048),
    command_line="",
    prepare=(reserve,),
    captured=(all_is_used,),
    needs=("CONTIG_ALLOC",),
)

SCENARIOS = (
    replace(RUN_TIME, before=(fill_pages_below,), checks=(pattern_pages,)),
    replace(RUN_TIME, name="run-time-parameter", prepare=(insert_with_reserve,)),
    # Where one piece cannot be had.
    replace(RUN_TIME, name="run-time-fragmented", prepare=(fragment, reserve), before=(in_pieces,)),
    # What was given back is the crashed kernel's memory.
    Scenario(name="shrunk", prepare=(give_a_part_back,), captured=(all_is_used,)),
)
