# SPDX-License-Identifier: GPL-2.0
"""A crash after four processes have loaded and unloaded what they could, all at once.

Half a minute of it is in every run; `make stress` takes five minutes.
"""

from functools import partial
from pathlib import Path
from random import Random

import pytest

from harness.crash.scenario import Scenario
from harness.machine.hardware import Hardware
from harness.steps.stress import stress
from harness.testing import crash_and_check, needs


@needs("KEXEC_FILE")
async def test_stress(request: pytest.FixtureRequest, directory: Path, random: Random) -> None:
    seconds = request.config.getoption("--stress-seconds")
    scenario = Scenario(
        name="stress",
        hardware=Hardware(cpus=4, memory_mib=2048),
        command_line="nokaslr crashkernel=512M",
        before=(partial(stress, seconds=seconds),),
    )
    await crash_and_check(scenario, directory, random)
