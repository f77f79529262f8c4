# SPDX-License-Identifier: GPL-2.0
"""Crashes that end in a good dump."""

from pathlib import Path
from random import Random

import pytest

from harness.crash.scenario import Scenario
from harness.scenarios.every import SCENARIOS
from harness.testing import crash_and_check


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_dump(scenario: Scenario, directory: Path, random: Random) -> None:
    if missing := scenario.missing():
        pytest.skip(f"the kernel lacks {', '.join(missing)}")
    await crash_and_check(scenario, directory, random)
