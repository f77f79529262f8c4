# SPDX-License-Identifier: GPL-2.0
"""A kernel without ftrace: hooks by kprobes, and what is left where those are not called."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.checks.hooks import EXPORTED
from harness.crash.scenario import Scenario
from harness.guest.guest import FIRST_LINE, PATIENCE, Guest
from harness.guest.kernel import kernel_words
from harness.guest.loading import kexec_file_load
from harness.machine.hardware import Hardware
from harness.scenarios.no_ftrace import SCENARIOS
from harness.steps.hooks import switch_kprobes_off, switch_kprobes_on
from harness.testing import crash_and_check, in_guest, needs

pytestmark = pytest.mark.skipif(
    paths.has(paths.TARGET, "DYNAMIC_FTRACE"), reason="the kernel has ftrace: VARIANT=no-ftrace"
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_exported(scenario: Scenario, directory: Path, random: Random) -> None:
    await crash_and_check(scenario, directory, random, EXPORTED)


@needs("KEXEC_FILE")
@in_guest()
async def test_what_is_lost_is_said(guest: Guest) -> None:
    await guest.load()
    assert (await guest.status()).hooks == "kprobes"
    assert await guest.crash_image_is_loaded()
    [said] = await kernel_words(guest, "rust_kexec: crashes are noticed by ")
    assert "kprobes, because the running kernel has no ftrace" in said

    await switch_kprobes_off(guest)
    assert (await guest.status()).hooks == "panic notifiers"
    assert not await guest.crash_image_is_loaded()
    text = (await guest.rkexec("--status")).stdout
    assert "hooks       panic notifiers alone, because" in text
    await guest.load()
    *_, said = await kernel_words(guest, "rust_kexec: crashes are noticed by ")
    assert "panic notifiers alone" in said

    await switch_kprobes_on(guest)
    assert (await guest.status()).hooks == "kprobes"
    assert await guest.crash_image_is_loaded()
    finished = await guest.run(*kexec_file_load())
    assert "EBUSY" in finished.stderr, finished
    await guest.unload()
    await guest.load()
    await guest.crash()
    await guest.captured()


@in_guest(Hardware(cpus=3, open_memory=True), "crashkernel=256M panic=1")
async def test_a_damaged_image(guest: Guest, random: Random) -> None:
    """It is found without a hook too, and the panic goes on."""
    await switch_kprobes_off(guest)
    await guest.load()
    table = (await guest.status()).segments["purgatory table"]
    guest.machine.flip(random.choice(table.file), 1)
    await guest.crash()
    assert await asyncio.wait_for(guest.machine.shut_down(), PATIENCE) == "guest-reset"
    console = guest.machine.console
    message = "rust_kexec: XXH64 of the purgatory table does not match"
    await asyncio.wait_for(console.line(message, guest.crash_line), 10)
    assert console.find(FIRST_LINE, guest.crash_line) is None
