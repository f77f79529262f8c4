# SPDX-License-Identifier: GPL-2.0
"""Crashes that end in a good dump."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness import checks
from harness.crash.scenario import Scenario, crash_and_save
from harness.dump.dump import Dump
from harness.scenarios import DUMPS


@pytest.mark.parametrize("scenario", DUMPS, ids=lambda scenario: scenario.name)
def test_dump(scenario: Scenario, directory: Path, random: Random) -> None:
    facts = asyncio.run(crash_and_save(scenario, directory, random))
    vmcore = directory / "vmcore"
    with Dump(vmcore) as dump:
        for check in checks.ALWAYS + scenario.checks:
            check(dump, facts)
    # A failed scenario's dump stays for whoever looks into it.
    vmcore.unlink()
