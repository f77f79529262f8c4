# SPDX-License-Identifier: GPL-2.0
"""Crashes that end in a good dump."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness.checks.always import ALWAYS
from harness.crash.run import crash_and_save
from harness.crash.scenario import Scenario
from harness.dump.dump import Dump
from harness.scenarios.every import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_dump(scenario: Scenario, directory: Path, random: Random) -> None:
    facts = asyncio.run(crash_and_save(scenario, directory, random))
    vmcore = directory / "vmcore"
    with Dump(vmcore) as dump:
        for check in ALWAYS + scenario.checks:
            check(dump, facts)
    # A failed scenario's dump stays for whoever looks into it.
    vmcore.unlink()
