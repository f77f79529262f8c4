# SPDX-License-Identifier: GPL-2.0
"""A kernel without KEXEC and CRASH_DUMP: hooks, notes and VMCOREINFO of our own."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.checks.hooks import WITHOUT_CRASH_DUMP
from harness.crash.scenario import Scenario
from harness.guest.guest import FIRST_LINE, PATIENCE, Guest
from harness.guest.kernel import complaints
from harness.machine.hardware import Hardware
from harness.scenarios.no_kexec import SCENARIOS
from harness.steps.reserving import reserve
from harness.testing import crash_and_check, in_guest

pytestmark = pytest.mark.skipif(
    paths.has(paths.TARGET, "CRASH_DUMP"), reason="the kernel can be dumped: VARIANT=no-kexec"
)


# What the module uses of other kernels.
NOT_THERE = {"__crash_kexec", "crash_notes", "kexec_load_permitted", "vmcoreinfo_note"}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_own(scenario: Scenario, directory: Path, random: Random) -> None:
    await crash_and_check(scenario, directory, random, WITHOUT_CRASH_DUMP)


@in_guest(command_line="")
async def test_loading(guest: Guest) -> None:
    """Images come and go, and may do so with CAP_SYS_BOOT only: there is no sysctl to forbid it."""
    kernels_own = await guest.shell("awk 'NF == 3 { print $3 }' /proc/kallsyms")
    assert not NOT_THERE.intersection(kernels_own.split())
    await reserve(guest)
    await guest.load()
    await guest.load()
    status = await guest.status()
    assert status.armed and status.hooks == "ftrace" and status.replacement == "beside"
    finished = await guest.run("without-capability", "CAP_SYS_BOOT", "--", "rkexec", "--unload")
    assert "CAP_SYS_BOOT" in finished.stderr, finished
    await guest.unload()
    await guest.load()
    await guest.shell("rmmod rust_kexec 2>/dev/null && exit 1; rkexec --unload; rmmod rust_kexec")
    assert not await complaints(guest)


@in_guest(Hardware(cpus=2), "panic=1")
async def test_a_reboot_is_no_crash(guest: Guest) -> None:
    """A reboot stops the other CPUs by the same function, and does not enter the image."""
    await reserve(guest)
    await guest.load()
    await guest.crash_by_running("reboot", "-f")
    ended = asyncio.ensure_future(guest.machine.shut_down())
    entered = asyncio.ensure_future(guest.machine.console.line(FIRST_LINE, guest.crash_line))
    await asyncio.wait((ended, entered), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    entered.cancel()
    assert ended.done() and ended.result() == "guest-reset", "the capture kernel was entered"
