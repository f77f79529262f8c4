# SPDX-License-Identifier: GPL-2.0
"""`make demo` says of a kernel with a bug in its way to a dump at which stage it stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness import paths
from harness.crash.scenario import Facts, Scenario
from harness.guest.guest import Guest
from harness.guest.loading import rkexec
from harness.machine.hardware import Hardware
from harness.matrix.trigger import CRASHER
from harness.scenarios.demo import DEMO
from harness.verdict.run import Patience, Refused, crash_and_save
from harness.verdict.verdict import Stage

# Nothing comes after these bugs, however long it is waited for.
SHORT = Patience(times=2, least_s=20)

# A function of the kernel that panic() calls before anything else.
EARLY = "bust_spinlocks"


def spin_in(context: str) -> Callable[[Guest, Facts], Awaitable[None]]:
    """The CPU that comes to this context, as the test guests' module names it, stays there."""

    async def step(guest: Guest, facts: Facts) -> None:
        context_of, _, function = context.partition(" ")
        await guest.shell(f"insmod {paths.GUEST_CRASHER}")
        await guest.shell(f"echo {context_of} spin {function} > {CRASHER}")

    return step


def overwrite(kind: str) -> Callable[[Guest, Facts], Awaitable[None]]:
    """A byte of this segment changes after the load."""

    async def step(guest: Guest, facts: Facts) -> None:
        segment = facts.status.segments[kind].file
        guest.machine.flip(segment.start + len(segment) // 2, 1)

    return step


async def no_init(guest: Guest, facts: Facts) -> None:
    """The capture kernel's initrd has no /init."""
    await guest.shell("mkdir /tmp/root; cd /tmp/root; echo . | cpio -o -H newc >/tmp/no-init")
    (await guest.run(*rkexec(initrd="/tmp/no-init"))).check()


@dataclass(frozen=True)
class Bug:
    """A bug, and what is said of it."""

    name: str
    step: Callable[[Guest, Facts], Awaitable[None]]
    stage: Stage
    sentence: str
    detail: str
    options: str = ""


BUGS = (
    Bug(
        "hang",
        spin_in(f"function {EARLY}"),
        Stage.PANIC,
        "has not come to __crash_kexec()",
        "crasher_spin",
    ),
    Bug(
        "notifier",
        spin_in("panic_notifier"),
        Stage.PANIC,
        "has not come to __crash_kexec()",
        "panic_notifier_dies",
        "crash_kexec_post_notifiers",
    ),
    Bug(
        "kernel",
        overwrite("kernel"),
        Stage.PURGATORY,
        "was overwritten",
        "the kernel does not match",
    ),
    Bug("purgatory", overwrite("purgatory"), Stage.JUMP, "gave the crash up", "purgatory"),
    Bug("init", no_init, Stage.CAPTURE_BOOT, "It panicked:", "Kernel panic"),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
async def test_verdict_of_a_bug(directory: Path, bug: Bug) -> None:
    """The stage, in the words that a person reads, and what shows it."""
    scenario = Scenario(
        name=f"verdict-{bug.name}",
        hardware=Hardware(cpus=2, memory_mib=1024, open_memory=True, stays=True),
        command_line=f"{DEMO.command_line} {bug.options}",
        before=(bug.step,),
    )
    with pytest.raises(Refused) as refused:
        await crash_and_save(scenario, directory, print, SHORT)
    verdict = refused.value.verdict
    assert verdict.stage is bug.stage, verdict
    assert bug.sentence in verdict.sentence, verdict
    assert any(bug.detail in line for line in verdict.details), verdict
    assert not (directory / "memory").exists()


async def test_verdict_of_a_kernel_that_cannot_boot(directory: Path) -> None:
    """A kernel whose initrd never gets to its first process."""
    scenario = replace(DEMO, name="verdict-boot", command_line="rdinit=/nothing root=/dev/nothing")
    with pytest.raises(Refused) as refused:
        await crash_and_save(scenario, directory, print, SHORT)
    verdict = refused.value.verdict
    assert verdict.stage is Stage.BOOT, verdict
    assert "panicked" in verdict.sentence, verdict


async def test_verdict_of_a_kernel_without_memory_for_another(directory: Path) -> None:
    """A kernel that has set nothing aside."""
    scenario = replace(DEMO, name="verdict-load", command_line="")
    with pytest.raises(Refused) as refused:
        await crash_and_save(scenario, directory, print, SHORT)
    verdict = refused.value.verdict
    assert verdict.stage is Stage.LOAD, verdict
    assert "crashkernel=" in verdict.sentence, verdict
