# SPDX-License-Identifier: GPL-2.0
"""The one list of all scenarios."""

from harness.scenarios import (
    cpus,
    files,
    firmware,
    hotplug,
    memory,
    paging,
    panics,
    replacing,
    reserving,
)
from harness.scenarios.demo import DEMO

SCENARIOS = (
    DEMO,
    *cpus.SCENARIOS,
    *panics.SCENARIOS,
    *replacing.SCENARIOS,
    *reserving.SCENARIOS,
    *memory.SCENARIOS,
    *hotplug.SCENARIOS,
    *paging.SCENARIOS,
    *firmware.SCENARIOS,
    *files.SCENARIOS,
)
