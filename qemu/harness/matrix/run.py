# SPDX-License-Identifier: GPL-2.0
"""The run of one row."""

from functools import partial
from pathlib import Path
from random import Random

from harness import paths
from harness.crash.run import crash_and_save, crashed
from harness.crash.scenario import Facts, Panic, Scenario
from harness.dump.dump import Dump
from harness.guest.boot import boot
from harness.guest.guest import FIRST_LINE, PATIENCE, Guest
from harness.guest.loading import CAPTURE
from harness.matrix.checks import checks_of
from harness.matrix.row import Outcome, Row
from harness.steps.memory import PAGES
from harness.units import GIB

# Seconds from a panic to the reboot, of a kernel that nobody takes over from.
REBOOT_S = 5


async def run_row(row: Row, directory: Path, random: Random) -> None:
    """Runs a row; an error where something is not as it must be."""
    if row.outcome == Outcome.REBOOTS:
        await _reboots(row, directory)
        return
    if row.outcome == Outcome.GIVEN_UP:
        await _gives_up(row, directory, random)
        return
    facts = await crash_and_save(_scenario(row), directory, random)
    checks = checks_of(row)
    with Dump(directory / "vmcore") as dump:
        for check in checks:
            check(dump, facts)
    dump.path.unlink()


def _scenario(row: Row) -> Scenario:
    async def set_up(guest: Guest) -> None:
        for script in (*row.trigger.prepare, *row.setup):
            await guest.shell(script)

    async def name_the_deaf(guest: Guest, facts: Facts) -> None:
        facts.not_stopped = facts.not_stopped | row.not_stopped

    return Scenario(
        name=row.name,
        hardware=row.hardware,
        command_line=f"{row.region} {row.options}".strip(),
        prepare=(set_up, *row.prepare),
        before=(*((canaries,) * row.canaries), name_the_deaf, *row.before),
        panic=Panic(partial(row.trigger.cause, cpu=row.trigger_cpu)),
    )


async def canaries(guest: Guest, facts: Facts) -> None:
    """A process holds pages of known contents below the crash region, and above 4 GiB if it can."""
    seed = facts.random.getrandbits(32)
    if any(ram.stop > 4 * GIB for ram in facts.system_ram):
        place = ("--high", hex(4 * GIB))
    else:
        place = ("--below", hex(facts.status.region.start))
    facts.pattern = await guest.spawn(
        *("pattern", "--seed", str(seed), "--pages", str(PAGES)), *place
    )
    facts.pattern |= {"seed": seed, "classes": {place[0].removeprefix("--")}}


async def _reboots(row: Row, directory: Path) -> None:
    scenario = Scenario(
        name=row.name,
        hardware=row.hardware,
        command_line=f"{row.region} {row.options}",
        capture_command_line=f"{CAPTURE} panic={REBOOT_S}",
    )
    async with crashed(scenario, directory) as guest:
        await row.trigger.cause(guest, row.trigger_cpu)
        await guest.machine.reset(PATIENCE)


async def _gives_up(row: Row, directory: Path, random: Random) -> None:
    """The purgatory is damaged after the load, so the panic goes on as if nothing were armed."""
    options = f"{row.region} {row.options} panic={REBOOT_S}"
    async with boot(directory, row.hardware, options) as guest:
        await guest.load()
        purgatory = (await guest.status()).segments["purgatory"].file
        address = random.choice(range(purgatory.start, purgatory.start + purgatory_len()))
        guest.machine.flip(address, 1 << random.randrange(8))
        await row.trigger.cause(guest, row.trigger_cpu)
        await guest.machine.reset(PATIENCE)
        assert guest.machine.console.find(FIRST_LINE, guest.crash_line) is None


def purgatory_len() -> int:
    """The length of the purgatory's code, data and stack."""
    return paths.PURGATORY.stat().st_size
