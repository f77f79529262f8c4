# SPDX-License-Identifier: GPL-2.0
"""Images that replace each other, and crashes meanwhile."""

from harness.crash.scenario import Panic, Scenario
from harness.steps.replacing import (
    FIRST,
    crash_in_a_load,
    first_image,
    have_the_next_check_panic,
    have_the_next_load_panic,
    replace_many_times,
)

# The panic is in a kprobe, and a CPU that handles one misses others: without ftrace, those of the
# hooks. tests/test_no_ftrace.py has what happens then.
IN_A_LOAD = Panic(crash_in_a_load, "a chosen function is entered", "entered")
HOOKS = ("DYNAMIC_FTRACE",)

SCENARIOS = (
    # The region has room for two images, so the first one is armed until the second one is.
    Scenario(
        name="crash-in-a-copy",
        capture_command_line=FIRST,
        before=(have_the_next_load_panic,),
        panic=IN_A_LOAD,
        captured=(first_image,),
        needs=HOOKS,
    ),
    Scenario(
        name="crash-before-arming",
        capture_command_line=FIRST,
        before=(have_the_next_check_panic,),
        panic=IN_A_LOAD,
        captured=(first_image,),
        needs=HOOKS,
    ),
    Scenario(
        name="replaced-many-times",
        before=(replace_many_times,),
        captured=(first_image,),
    ),
)
