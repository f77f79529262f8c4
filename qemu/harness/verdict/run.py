# SPDX-License-Identifier: GPL-2.0
"""A crash that is followed stage by stage, and what is to be said of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from harness.checks.always import ALWAYS
from harness.crash.run import crash, load
from harness.crash.scenario import Facts, Scenario
from harness.dump.dump import Dump
from harness.guest.agent import AgentError
from harness.guest.boot import boot
from harness.guest.guest import FIRST_LINE, FIRST_PROCESS, Guest
from harness.machine.errors import GuestError, QemuCrashed
from harness.verdict import after
from harness.verdict.after import PANIC, last_lines
from harness.verdict.remains import Remains, vmcoreinfo
from harness.verdict.verdict import Stage, Verdict

Tell = Callable[[str], None]

COPYING = "all of the memory is copied"


@dataclass(frozen=True)
class Patience:
    """How long a capture kernel is waited for, which does what the first one did on this host."""

    times: float = 10
    """The time in which that one booted, so often."""
    least_s: float = 30

    def seconds(self, booted_s: float) -> float:
        """The time for a kernel that needs these seconds."""
        return max(self.least_s, self.times * booted_s)


class Refused(Exception):
    """A verdict that is not good, from wherever it is found."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.sentence)
        self.verdict = verdict


async def crash_and_save(
    scenario: Scenario, directory: Path, tell: Tell, patience: Patience = Patience()
) -> Facts:
    """Boots, loads, crashes, and leaves the dump in `directory`/vmcore, or raises `Refused`.

    The scenario's steps in the capture kernel come before that.
    """
    started = time.monotonic()
    tell("QEMU starts the kernel")
    try:
        async with boot(directory, scenario.hardware, scenario.command_line) as guest:
            seconds = patience.seconds(time.monotonic() - started)
            return await _from_the_load(scenario, guest, seconds, tell)
    except QemuCrashed:
        raise
    except GuestError as error:
        raise Refused(_of_the_boot((directory / "console.log").read_text())) from error


async def _from_the_load(scenario: Scenario, guest: Guest, seconds: float, tell: Tell) -> Facts:
    tell("it has booted; rkexec loads the capture kernel")
    facts = await _load(scenario, guest)
    information = await vmcoreinfo(guest)
    tell("it is loaded; echo c > /proc/sysrq-trigger")
    await crash(scenario, guest, facts)
    await _capture(guest, information, seconds, tell)
    tell("its first process runs")
    for step in scenario.captured:
        await step(guest, facts)
    tell(COPYING)
    try:
        await guest.save_vmcore()
    except (AgentError, GuestError) as error:
        sentence = "The capture kernel runs, and its dump cannot be read."
        raise Refused(Verdict(Stage.SAVE, sentence, (str(error),))) from error
    return facts


async def _load(scenario: Scenario, guest: Guest) -> Facts:
    try:
        return await load(scenario, guest, Random(0))
    except AgentError as error:
        log = await guest.shell("dmesg | grep -A 3 rust_kexec | tail -n 8 || true")
        raise Refused(
            Verdict(
                Stage.LOAD,
                f"The capture kernel could not be loaded. {error}",
                tuple(log.splitlines()),
            )
        ) from error


async def _capture(guest: Guest, information: bytes, seconds: float, tell: Tell) -> None:
    """Waits for the capture kernel's agent."""
    console = guest.machine.console

    async def first_line() -> None:
        await console.line(FIRST_LINE, guest.crash_line)
        tell("the capture kernel prints its first line")

    watching = asyncio.ensure_future(first_line())
    try:
        await guest.captured(seconds)
    except QemuCrashed:
        raise
    except (AgentError, GuestError) as error:
        raise Refused(await _of_the_crash(guest, information, str(error))) from error
    finally:
        watching.cancel()


async def _of_the_crash(guest: Guest, information: bytes, error: str) -> Verdict:
    memory = await guest.machine.keep_memory("elf")
    if memory is None:
        # The machine has gone.
        said = guest.machine.console.text(guest.crash_line)
        return Verdict(Stage.PANIC, error.partition("\n")[0], last_lines(said))
    try:
        remains = Remains(memory, information)
        verdict = after.judge(remains, guest.machine.console, guest.crash_line)
    finally:
        memory.unlink()
    return verdict


def _of_the_boot(said: str) -> Verdict:
    """What is to be said of a machine whose first kernel never had its agent speak."""
    lines = said.splitlines()
    panics = [line.partition(PANIC)[2] for line in lines if PANIC in line]
    if not any(FIRST_LINE in line for line in lines):
        sentence = (
            "The kernel printed nothing: QEMU could not start it, or it has no driver for the "
            "serial console."
        )
    elif panics:
        sentence = f'The kernel panicked before it was to: "{panics[0]}".'
    elif not any(FIRST_PROCESS in line for line in lines):
        sentence = "The kernel began to boot, and did not start the first process of its initrd."
    else:
        sentence = (
            "The kernel started its first process, which loads the module and then speaks to the "
            "host by virtio-console. It has not spoken."
        )
    return Verdict(Stage.BOOT, sentence, last_lines(said))


def judge_dump(dump: Dump, facts: Facts, scenario: Scenario) -> Verdict:
    """Whether the dump has what a reader of it relies on."""
    for check in ALWAYS + scenario.checks:
        assert check.__doc__ is not None
        try:
            check(dump, facts)
        # Whatever a reader stumbles over is a finding.
        except Exception as error:
            rule = check.__doc__.splitlines()[0]
            return Verdict(
                Stage.DUMP,
                f"The dump was saved, and this does not hold of it: {rule}",
                (f"{type(error).__name__}: {error}",),
            )
    count = len(ALWAYS + scenario.checks)
    return Verdict(Stage.DONE, f"The kernel leaves a good dump, by all {count} checks of it.")
