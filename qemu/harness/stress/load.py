# SPDX-License-Identifier: GPL-2.0
"""Steps before a random crash: a replaced image, work for the guest, and a number of events."""

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import PATIENCE, Guest
from harness.matrix.trigger import CRASHER
from harness.steps.cpus import leave_to_the_first_cpu
from harness.stress.drawn import Drawn, Event

BUSY = "while :; do :; done"
# A MiB of a program's text, which is no zeros, to a place of this writer's own.
WRITES = (
    "while :; do dd if=/bin/busybox of=/dev/vda bs=64k count=16 seek=%d oflag=direct conv=notrunc "
    "2>/dev/null; echo >> /tmp/writes; done"
)
ALLOCATES = "while :; do dd if=/dev/zero of=/dev/null bs=32M count=1 2>/dev/null; done"
BLOCKS_OF_A_WRITER = 1024

PROGRAMS = "for number in $(seq %d); do /bin/busybox true; done"
WAIT_FOR_WRITES = "until [ $(wc -l < /tmp/writes) -ge %d ]; do /bin/busybox true; done"


async def replace_the_image(guest: Guest, facts: Facts) -> None:
    """The same image once more."""
    await guest.load(guest.capture_command_line)
    facts.status = await guest.status()


async def work(guest: Guest, facts: Facts, drawn: Drawn) -> None:
    """Programs of each kind run until the crash."""
    scripts = [
        *([BUSY] * drawn.busy),
        *(WRITES % (number * BLOCKS_OF_A_WRITER) for number in range(drawn.writers)),
        *([ALLOCATES] * drawn.allocators),
    ]
    started = "".join(f"({script}) </dev/null >/dev/null 2>&1 &\n" for script in scripts)
    await guest.shell(f": > /tmp/writes\n{started}")


async def wait(guest: Guest, facts: Facts, drawn: Drawn) -> None:
    """The events before the crash."""
    match drawn.event:
        case Event.LOADS:
            for _ in range(drawn.events):
                await replace_the_image(guest, facts)
        case Event.WRITES:
            await guest.shell(WAIT_FOR_WRITES % drawn.events, timeout_s=PATIENCE)
        case Event.PROGRAMS:
            await guest.shell(PROGRAMS % drawn.events, timeout_s=PATIENCE)


async def deafen(guest: Guest, facts: Facts, drawn: Drawn) -> None:
    """The last CPUs spin with interrupts off. Nothing that waits for all CPUs comes after this."""
    await guest.shell(f"[ -e {CRASHER} ] || insmod {paths.GUEST_CRASHER}")
    deaf = range(drawn.cpus - drawn.deaf, drawn.cpus)
    await leave_to_the_first_cpu(guest, deaf)
    for cpu in deaf:
        await guest.write(CRASHER, f"ipi spin {cpu}\n")
    if paths.ARCH == "arm64" and not drawn.pseudo_nmi:
        facts.not_stopped = facts.not_stopped | set(deaf)
