# SPDX-License-Identifier: GPL-2.0
"""What is said of a kernel in the end."""

from dataclasses import dataclass
from enum import Enum


class Stage(Enum):
    """The stages between the start of a machine and a good dump."""

    BOOT = "boot"
    LOAD = "load"
    PANIC = "panic"
    STOP = "stop"
    JUMP = "jump"
    PURGATORY = "purgatory"
    CAPTURE_BOOT = "capture kernel's boot"
    CAPTURE_INIT = "capture kernel's first process"
    SAVE = "save"
    DUMP = "dump"
    DONE = "done"


@dataclass(frozen=True)
class Verdict:
    """The stage that was reached last, and what is to be said of it."""

    stage: Stage
    sentence: str
    details: tuple[str, ...] = ()
    """Lines that show it: a stack, the end of a log."""

    @property
    def good(self) -> bool:
        """Whether there is a dump, and nothing is wrong with it."""
        return self.stage is Stage.DONE
