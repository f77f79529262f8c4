# SPDX-License-Identifier: GPL-2.0
"""The crash report, as `rkexec report` and the capture kernel's log tell it."""

import json

from harness import paths
from harness.crash.scenario import Scenario
from harness.guest.guest import Guest
from harness.guest.kernel import kernel_words
from harness.machine.hardware import Hardware
from harness.testing import in_capture_kernel

CPUS = 3
CRASH = Scenario(name="report", hardware=Hardware(cpus=CPUS))
STAGES = [
    "crash noticed",
    "other CPUs stopped",
    "purgatory checked",
    "interrupts silenced",
    "jump to the purgatory",
    "purgatory entered",
    "digests checked",
    "capture kernel entered",
]


@in_capture_kernel(CRASH)
async def test_report(guest: Guest) -> None:
    told = (await guest.rkexec("report", paths.SERVED, "--json")).check()
    report = json.loads(told.stdout)
    assert [stage["stage"] for stage in report["stages"]] == STAGES
    times = [stage["microseconds"] for stage in report["stages"]]
    assert times[0] == 0 and times == sorted(times) and times[-1] > 0, times

    cpus = report["cpus"]
    assert [cpu["cpu"] for cpu in cpus] == list(range(CPUS))
    assert all(cpu["stopped"] for cpu in cpus), cpus
    # What they took to stop counts for none. An NMI may have found one in an interrupt of its own.
    own = {"NMI": "NMI", "interrupt": "hardirq"}
    assert not any(own.get(cpu["by"]) in cpu["context"] for cpu in cpus), cpus
    assert [cpu["by"] for cpu in cpus].count("crashed") == 1, cpus

    text = (await guest.rkexec("report", paths.SERVED)).check().stdout.splitlines()
    log = await kernel_words(guest, "rust_kexec: ")
    assert len(text) == 1 + len(STAGES) + 1 + CPUS, text
    assert all(any(line in found for found in log) for line in text), log
