# SPDX-License-Identifier: GPL-2.0
"""A crash after four processes have loaded and unloaded what they could, all at once.

Half a minute of it is in every run; `make stress` takes five minutes.
"""

import asyncio
from functools import partial
from pathlib import Path
from random import Random

import pytest

from harness.checks.always import ALWAYS
from harness.crash.run import crash_and_save
from harness.crash.scenario import Scenario
from harness.dump.dump import Dump
from harness.machine.hardware import Hardware
from harness.steps.stress import stress


def test_stress(request: pytest.FixtureRequest, directory: Path, random: Random) -> None:
    seconds = request.config.getoption("--stress-seconds")
    scenario = Scenario(
        name="stress",
        hardware=Hardware(cpus=4, memory_mib=2048),
        command_line="nokaslr crashkernel=512M",
        before=(partial(stress, seconds=seconds),),
    )
    facts = asyncio.run(crash_and_save(scenario, directory, random))
    vmcore = directory / "vmcore"
    with Dump(vmcore) as dump:
        for check in ALWAYS:
            check(dump, facts)
    vmcore.unlink()
