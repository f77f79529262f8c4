# SPDX-License-Identifier: GPL-2.0
"""The run of a scenario: boot, load, crash, save."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random

from harness.crash.scenario import Facts, Scenario
from harness.dump.dump import Dump
from harness.guest.boot import boot
from harness.guest.guest import Guest
from harness.guest.kernel import iomem


@asynccontextmanager
async def crashed(scenario: Scenario, directory: Path) -> AsyncIterator[Guest]:
    """The capture kernel after a crash."""
    async with boot(directory, scenario.hardware, scenario.command_line) as guest:
        await guest.load(scenario.capture_command_line)
        await guest.crash()
        await guest.captured()
        yield guest


async def load(scenario: Scenario, guest: Guest, random: Random) -> Facts:
    """Prepares the guest, and loads its capture kernel."""
    for prepare in scenario.prepare:
        await prepare(guest)
    await guest.load(scenario.capture_command_line)
    return Facts(
        random,
        guest.hello,
        await guest.status(),
        await iomem(guest, "System RAM"),
        scenario.panic,
    )


async def crash(scenario: Scenario, guest: Guest, facts: Facts) -> None:
    """Does what comes before the crash, and crashes the guest."""
    facts.crash_time = int(await guest.shell("date +%s"))
    for step in scenario.before:
        await step(guest, facts)
    # The agent alone, with no program: CPUs may be deaf by now.
    facts.crash_image_is_loaded = await guest.crash_image_is_loaded()
    await scenario.panic.cause(guest)


async def crash_and_save(scenario: Scenario, directory: Path, random: Random) -> Facts:
    """Boots, loads, crashes, and leaves the dump in `directory`/vmcore."""
    async with boot(directory, scenario.hardware, scenario.command_line) as guest:
        facts = await load(scenario, guest, random)
        await crash(scenario, guest, facts)
        await guest.captured()
        for step in scenario.captured:
            await step(guest, facts)
        await guest.save_vmcore()
    return facts


@contextmanager
def saved_dump(scenario: Scenario, directory: Path) -> Iterator[tuple[Dump, Facts]]:
    """The dump of a scenario without random choices, for several tests; gone when they are done."""
    facts = asyncio.run(crash_and_save(scenario, directory, Random(0)))
    with Dump(directory / "vmcore") as dump:
        yield dump, facts
    dump.path.unlink()
