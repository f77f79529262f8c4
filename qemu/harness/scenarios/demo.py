# SPDX-License-Identifier: GPL-2.0
"""The crash of `make demo`."""

from harness.crash.scenario import Scenario
from harness.machine.hardware import Hardware

DEMO = Scenario(name="demo", hardware=Hardware(cpus=4, memory_mib=2048, stays=True))
