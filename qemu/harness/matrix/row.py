# SPDX-License-Identifier: GPL-2.0
"""A row of the matrix: a trigger, the guest that it kills, and what must be true then."""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache

from harness import paths
from harness.crash.scenario import Check, Preparation, Step
from harness.guest.symbols import symbols
from harness.machine.hardware import Hardware
from harness.matrix.trigger import Trigger

# Room for the kernel, the canary pages, and a crash region that the capture kernel can live in.
SMALL = Hardware(cpus=2, memory_mib=768)
REGION = "crashkernel=224M"


class Outcome(Enum):
    """The end of a row that is as it should be."""

    DUMP = "dump"
    LIVES = "the system lives, and a later crash gives a dump"
    REBOOTS = "the capture kernel reboots"
    GIVEN_UP = "the crash is given up, and panic= reboots the machine"


@dataclass(frozen=True)
class Row:
    """One way in."""

    name: str
    context: str
    """The context in which the kernel dies, in words."""
    trigger: Trigger
    hardware: Hardware = SMALL
    options: str = ""
    """Of the kernel's command line, besides the region."""
    region: str = REGION
    setup: tuple[str, ...] = ()
    """Shell scripts that run before the load."""
    prepare: tuple[Preparation, ...] = ()
    """Done before the load."""
    before: tuple[Step, ...] = ()
    """Done between the load and the trigger."""
    checks: tuple[Check, ...] = ()
    """Besides those of every row."""
    cpu: int = 0
    """The trigger's CPU; -1 is the last one."""
    not_stopped: frozenset[int] = frozenset()
    """CPUs that nothing reaches any more."""
    outcome: Outcome = Outcome.DUMP
    needs: tuple[str, ...] = ()
    """Options of the kernel, besides the trigger's; `A|B` is one of the two."""
    without: tuple[str, ...] = ()
    """Options with which the kernel does not die in this way."""
    canaries: bool = True
    """Whether there is memory to spare for canary pages."""
    core: bool = False
    """Whether `make test` runs it, with the ordinary kernel."""

    @property
    def trigger_cpu(self) -> int:
        """The number of the trigger's CPU."""
        return self.cpu % self.hardware.cpus

    def missing(self) -> list[str]:
        """What the kernel of this run lacks."""
        options = (*self.trigger.options, *self.needs)
        missing = [f"CONFIG_{names}" for names in options if not has_one(names)]
        missing += [f"no CONFIG_{name}" for name in self.without if has_one(name)]
        if self.hardware.cpus > cpus_max():
            missing.append(f"CONFIG_NR_CPUS={self.hardware.cpus}")
        if self.trigger.symbols:
            known = functions()
            missing += [f"{name}()" for name in self.trigger.symbols if name not in known]
        return missing


def has_one(names: str) -> bool:
    """Whether the kernel has an option, or one of several: `CFI|CFI_CLANG`."""
    return any(paths.has(paths.TARGET, name) for name in names.split("|"))


@cache
def cpus_max() -> int:
    """The number of CPUs that the guest's kernel can have."""
    configuration = (paths.BUILD / "kernel" / paths.TARGET / ".config").read_text()
    found = re.search(r"^CONFIG_NR_CPUS=(\d+)$", configuration, re.MULTILINE)
    assert found, "the guests' kernels have several CPUs"
    return int(found[1])


@cache
def functions() -> set[str]:
    """The functions of the guest's kernel."""
    return {line.split()[-1] for line in symbols()}
