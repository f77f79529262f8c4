# SPDX-License-Identifier: GPL-2.0
"""A random crash as data: all that its seed decides."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from math import exp, log
from random import Random

from harness import paths
from harness.machine.platform import PLATFORM
from harness.matrix.row import Row
from harness.matrix.rows import ROWS

# Rows of the crash matrix that die at once, on a machine of any size.
POOL = (
    *("sysrq", "panic-kthread", "two-at-once", "pid-1", "post-notifiers", "panicking-notifier"),
    *("console-held", "our-load", "reboot", "oops-crasher", "no-kaslr", "other-paging"),
    *("ipi-panic", "ipi-bug", "ipi-oops", "irq-work-panic", "irq-work-bug", "irq-work-oops"),
    *("idle-panic", "idle-oops", "softirq-panic", "softirq-bug", "softirq-oops"),
    *("timer-panic", "timer-oops", "kworker-panic", "kworker-bug", "kworker-oops"),
    *("reclaim-panic", "reclaim-oops", "nmi", "nmi-unrecovered"),
)

# Rows whose trigger comes from another CPU.
NEED_ANOTHER_CPU = frozenset({"idle-panic", "idle-oops"})
# Rows that wait for a CPU that has nothing to do, or for a task that frees memory: which one that
# is must not be up to the load.
NEED_NO_LOAD = frozenset({"idle-panic", "idle-oops", "reclaim-panic", "reclaim-oops"})
# Rows whose trigger asks nothing of the CPUs that hear nothing.
HEED_NO_OTHERS = frozenset(
    {
        *("sysrq", "oops-crasher", "ipi-panic", "ipi-oops", "irq-work-panic", "irq-work-oops"),
        *("softirq-panic", "softirq-oops", "nmi", "nmi-unrecovered"),
    }
)
# Rows in which the machine chooses the CPU.
HAVE_THEIR_CPU = frozenset({"nmi", "nmi-unrecovered"})

CPUS = (1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16)
MEMORY_MIB = (700, 4096)
# Where memory starts at 1 GiB, more than this would put a little above 4 GiB, and the region there:
# it leaves no room for the canary pages, which are to be above 4 GiB then.
MEMORY_MIB_MAX = {"x86_64": 4096, "arm64": 3072}[paths.ARCH]
# With less memory than this the region is a small one, so that there is room for the load.
ROOMY_MIB = 1000
SMALL_REGION_MIB = 192
REGIONS_MIB = (192, 224, 256, 320)


class Event(Enum):
    """Of what the crash waits for a number."""

    NOTHING = "nothing"
    LOADS = "loads"
    WRITES = "writes to the disk"
    PROGRAMS = "programs"

    @property
    def most(self) -> int:
        """The highest number of them that is waited for."""
        return {"NOTHING": 1, "LOADS": 3, "WRITES": 60, "PROGRAMS": 200}[self.name]


@dataclass(frozen=True)
class Drawn:
    """One random crash."""

    seed: int
    row: str
    cpu: int
    """The trigger's CPU."""
    cpus: int
    memory_mib: int
    region_mib: int
    replaced: bool
    """Whether the image replaces another one."""
    busy: int
    """Programs that only compute."""
    writers: int
    """Programs that write to the disk."""
    allocators: int
    """Programs that take memory and give it back."""
    deaf: int
    """CPUs, the last ones, that spin with interrupts off."""
    pseudo_nmi: bool
    """arm64: whether an interrupt reaches those."""
    event: Event
    events: int
    """The crash comes after so many of the event."""

    def __str__(self) -> str:
        load = (
            *((f"{self.busy} busy",) * bool(self.busy)),
            *((f"{self.writers} writing",) * bool(self.writers)),
            *((f"{self.allocators} allocating",) * bool(self.allocators)),
            *((f"{self.deaf} CPUs deaf",) * bool(self.deaf)),
            *(("pseudo-NMI",) * self.pseudo_nmi),
            *(("replaced",) * self.replaced),
            *((f"after {self.events} {self.event.value}",) * (self.event != Event.NOTHING)),
        )
        machine = f"CPU {self.cpu} of {self.cpus}, {self.memory_mib} MiB"
        return ", ".join((self.row, machine, *load))


@cache
def rows() -> dict[str, Row]:
    """The rows of the pool that this kernel can run, by name."""
    found = {row.name: row for row in ROWS if row.name in POOL and not row.missing()}
    return {name: found[name] for name in POOL if name in found}


def draw(seed: int) -> Drawn:
    """The crash of a seed. On one kernel it is always the same."""
    random = Random(f"crash {seed}")
    row = random.choice(list(rows()))
    cpus = random.choice([cpus for cpus in CPUS if cpus > 1 or row not in NEED_ANOTHER_CPU])
    least, most = MEMORY_MIB
    # As many between 700 MiB and 1 GiB as between 2 and 3 GiB.
    memory_mib = min(MEMORY_MIB_MAX, round(exp(random.uniform(log(least), log(most)))))
    region_mib = random.choice(REGIONS_MIB) if memory_mib >= ROOMY_MIB else SMALL_REGION_MIB
    replaced = random.random() < 0.4
    loaded = row not in NEED_NO_LOAD
    busy = random.choice((0, 0, 1, 2, 3)) * loaded
    writers = random.choice((0, 0, 1, 2)) * loaded
    allocators = random.choice((0, 0, 1)) * loaded
    deaf = 0
    if row in HEED_NO_OTHERS and random.random() < 0.5:
        deaf = random.randint(0, min(3, cpus - 1))
    pseudo_nmi = bool(PLATFORM.nmi_option) and random.random() < 0.5
    # Nothing but the first CPU is left for the trigger where others are deaf.
    cpu = 0 if deaf or row in HAVE_THEIR_CPU else random.randrange(cpus)
    event = random.choice([event for event in Event if event != Event.WRITES or writers])
    return Drawn(
        seed=seed,
        row=row,
        cpu=cpu,
        cpus=cpus,
        memory_mib=memory_mib,
        region_mib=region_mib,
        replaced=replaced,
        busy=busy,
        writers=writers,
        allocators=allocators,
        deaf=deaf,
        pseudo_nmi=pseudo_nmi,
        event=event,
        events=random.randint(1, event.most),
    )
