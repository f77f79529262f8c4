# SPDX-License-Identifier: GPL-2.0
"""A scenario is data: a guest, what is done to it, and what must be true of its dump."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from harness import paths
from harness.dump.dump import Dump
from harness.guest.agent import Hello
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.guest.status import Status
from harness.machine.hardware import Hardware


@dataclass(frozen=True)
class Panic:
    """The cause of a crash, and its traces in the dump."""

    cause: Callable[[Guest], Awaitable[None]] = Guest.crash
    message: str = "sysrq triggered crash"
    function: str = "sysrq_handle_crash"
    """On the stack of the thread that panicked."""


@dataclass
class Facts:
    """Facts from before the crash and from the capture kernel, for checks of the dump."""

    random: Random
    hello: Hello
    status: Status
    system_ram: list[range]
    panic: Panic
    crash_image_is_loaded: bool | None = None
    """The kernel's own word."""
    crash_time: int = 0
    spinner: dict[str, Any] = field(default_factory=dict)
    pattern: dict[str, Any] = field(default_factory=dict)
    page_uses: dict[str, list[str]] = field(default_factory=dict)
    """The physical addresses of pages by their use."""
    pulled: list[range] = field(default_factory=list)
    """Memory that is not there any more."""
    not_stopped: set[int] = field(default_factory=set)
    """CPUs that nothing reaches any more."""
    screen: str = ""
    """The part of the boot parameters that is about the screen."""
    stopped_at: list[int] = field(default_factory=list)
    """Addresses at which CPUs wait with interrupts masked while the capture kernel runs."""
    captured_cpu_flags: set[str] = field(default_factory=set)
    """Features of the CPU that the capture kernel uses (x86_64)."""
    firmware: str = ""
    """The crashed kernel's description of the firmware that had started it."""
    captured_firmware: str = ""
    """The capture kernel's description of it."""


Preparation = Callable[[Guest], Awaitable[None]]
Step = Callable[[Guest, Facts], Awaitable[None]]
Check = Callable[[Dump, Facts], None]


@dataclass(frozen=True)
class Scenario:
    """One crash and its dump."""

    name: str
    hardware: Hardware = Hardware()
    command_line: str = "crashkernel=256M"
    capture_command_line: str = CAPTURE
    prepare: tuple[Preparation, ...] = ()
    """Done before the load."""
    before: tuple[Step, ...] = ()
    """Done between the load and the crash."""
    panic: Panic = Panic()
    captured: tuple[Step, ...] = ()
    """Done in the capture kernel, before the dump is saved."""
    checks: tuple[Check, ...] = ()
    needs: tuple[str, ...] = ()
    """Options of the kernel, without CONFIG_, without which there is no such scenario."""
    since: tuple[int, int] = (0, 0)
    """The first version of the kernel that has what it is about."""

    def missing(self) -> list[str]:
        """What the kernel lacks: the options that it was not built with, and its version."""
        lacks = paths.missing(paths.TARGET, self.needs)
        if paths.version(paths.TARGET) < self.since:
            lacks.append("what Linux {}.{} has".format(*self.since))
        return lacks


class BadMoment(Exception):
    """The crash came at a moment that the scenario is not about; another one will tell."""
