# SPDX-License-Identifier: GPL-2.0
"""x86_64: NMIs, machine checks, and CPUs that nothing else reaches. arm64's virt injects none."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import PATIENCE, Guest
from harness.guest.loading import rkexec
from harness.machine.hardware import Hardware
from harness.matrix.checks import cpu_at
from harness.matrix.row import Row
from harness.matrix.trigger import CRASHER, Cause, Trigger, Where, armed, panics, run, sysrq, write
from harness.steps.cpus import leave_to_cpu

Registers = dict[str, int]

BY_NMI = "unknown_nmi_panic"
# The machine's NMI comes to the first CPU.
AGENT_ELSEWHERE = "taskset -p 2 $(pidof agent)"
# More than the loop of a CPU that spins.
SPIN_LEN = 64


async def inject_nmi(guest: Guest, cpu: int) -> None:
    """The machine's NMI button."""
    guest.crash_line = len(guest.machine.console.lines)
    await guest.machine.execute("inject-nmi")


async def all_become(guest: Guest, cpus: range, state: Callable[[Registers], bool]) -> None:
    """Waits until these CPUs are in a state."""

    async def wait() -> None:
        while True:
            found = await guest.machine.registers()
            if all(state(found[cpu]) for cpu in cpus):
                return

    await guest.machine.until(wait(), "a state of CPUs", PATIENCE)


async def when_idle(guest: Guest, cpu: int) -> None:
    """An NMI while the first CPU is idle."""
    await guest.shell(AGENT_ELSEWHERE)
    await all_become(guest, range(1), lambda registers: registers["HLT"] == 1)
    await inject_nmi(guest, cpu)


async def when_busy(guest: Guest, cpu: int) -> None:
    """An NMI while a process keeps the first CPU busy."""
    await guest.shell(AGENT_ELSEWHERE)
    await guest.spawn("spin", "--cpu", "0", "--seed", "1")
    await inject_nmi(guest, cpu)


async def crasher_is_in(guest: Guest, function: str) -> range:
    """Where a function of the crasher's is that CPUs stay in."""
    found = await guest.shell(f"awk '$3 == \"{function}\" {{ print $1 }}' /proc/kallsyms")
    return range(int(found, 16), int(found, 16) + SPIN_LEN)


async def sysrq_when_lingering(guest: Guest, cpu: int) -> None:
    """A crash while the first CPU stays in an NMI, with interrupts on: no other NMI comes in."""
    linger = await crasher_is_in(guest, "crasher_linger")
    await leave_to_cpu(guest, cpu, [0])
    await guest.write(CRASHER, "nmi linger\n")
    await guest.machine.execute("inject-nmi")
    await all_become(guest, range(1), lambda registers: registers["RIP"] in linger)
    await guest.crash_by_writing("/proc/sysrq-trigger", "c")


async def when_deaf(guest: Guest, cpu: int, context: str, agent: int) -> None:
    """An NMI when CPUs spin with interrupts disabled: the first one, or all of them."""
    spin = await crasher_is_in(guest, "crasher_spin")
    await write(guest, agent, CRASHER, f"{context} spin 0")
    cpus = guest.machine.hardware.cpus if context == "all_cpus" else 1
    await all_become(
        guest,
        range(cpus),
        lambda registers: registers["RIP"] in spin and not registers["RFL"] & 1 << 9,
    )
    await inject_nmi(guest, cpu)


def nmi(cause: Cause, *functions: str, task: str = ".*", crasher: bool = False) -> Trigger:
    """The machine's NMI."""
    return Trigger(
        name="QMP inject-nmi",
        cause=cause,
        says=panics("NMI: Not continuing$"),
        functions=("nmi_panic", "exc_nmi", *functions),
        task=task,
        prepare=(f"insmod {paths.GUEST_CRASHER}",) * crasher,
    )


async def load_for_ever(guest: Guest, facts: Facts) -> None:
    """Images replace each other without a pause."""
    load = shlex.join(rkexec())
    await guest.shell(
        f"(while {load}; do echo >> /tmp/loads; done) </dev/null >/dev/null 2>&1 & "
        "until [ -e /tmp/loads ] && [ $(wc -l < /tmp/loads) -ge 2 ]; do sleep 0.1; done"
    )


# Valid, uncorrected, enabled, and the processor's context is corrupt; the machine's status says
# that the handler runs, and that there is no way back.
MACHINE_CHECK = "0xb200000000000000 0x4 0 0"


async def check_machine(guest: Guest, cpu: int, options: str = "") -> None:
    """An uncorrected machine check of the third bank."""
    guest.crash_line = len(guest.machine.console.lines)
    line = f"mce {options} {cpu} 2 {MACHINE_CHECK}"
    said = await guest.machine.execute("human-monitor-command", **{"command-line": line})
    assert said == "", said


def machine_check(*, everywhere: bool = False) -> Trigger:
    """QEMU's."""
    return Trigger(
        name="HMP mce" + " -b" * everywhere,
        cause=partial(check_machine, options="-b" * everywhere),
        says=panics("Fatal local machine check$"),
        functions=("mce_panic", "do_machine_check"),
        task=".*",
        where=Where.ANYWHERE if everywhere else Where.HERE,
        options=("X86_MCE",),
    )


WATCHDOG = Trigger(
    name="i6300esb watchdog, -action watchdog=inject-nmi",
    # A watchdog that is closed without a farewell goes on, and nobody feeds it.
    cause=partial(run, script=f"echo 1 > /dev/watchdog; echo all_cpus spin 0 > {CRASHER}"),
    says=panics("NMI: Not continuing$"),
    functions=("nmi_panic", "exc_nmi", "crasher_spin"),
    task=".*",
    options=("I6300ESB_WDT",),
    prepare=(f"insmod {paths.GUEST_CRASHER}",),
)

X86_64 = (
    Row("nmi", "NMI", nmi(inject_nmi), options=BY_NMI),
    Row(
        "nmi-unrecovered",
        "NMI",
        nmi(inject_nmi),
        setup=("echo 1 > /proc/sys/kernel/panic_on_unrecovered_nmi",),
    ),
    Row("nmi-idle", "NMI over the idle task", nmi(when_idle, task="swapper/0"), options=BY_NMI),
    Row("nmi-busy", "NMI over a process", nmi(when_busy, task="spin"), options=BY_NMI),
    Row(
        "nmi-interrupts-off",
        "NMI of a CPU with interrupts off",
        nmi(partial(when_deaf, context="ipi", agent=1), "crasher_spin", crasher=True),
        options=BY_NMI,
    ),
    Row(
        "nmi-all-deaf",
        "NMI, every CPU with interrupts off",
        nmi(partial(when_deaf, context="all_cpus", agent=0), "crasher_spin", crasher=True),
        hardware=Hardware(cpus=16, memory_mib=1024),
        options=BY_NMI,
        checks=tuple(cpu_at(cpu, "crasher_spin") for cpu in range(16)),
    ),
    Row(
        "nmi-while-loading",
        "NMI, images replacing each other",
        nmi(inject_nmi),
        options=BY_NMI,
        before=(load_for_ever,),
    ),
    *(
        Row(
            f"nmi-handler-{death}",
            "NMI, in a handler",
            armed("nmi", death, inject_nmi, "nmi_dies", "exc_nmi", task=".*"),
        )
        for death in ("panic", "oops")
    ),
    Row(
        "watchdog",
        "NMI of a watchdog, every CPU with interrupts off",
        WATCHDOG,
        hardware=Hardware(
            memory_mib=768,
            arguments=("-device", "i6300esb", "-action", "watchdog=inject-nmi"),
        ),
        options=f"{BY_NMI} i6300esb.heartbeat=4",
        checks=(cpu_at(1, "crasher_spin"),),
    ),
    Row(
        "nmi-lingers",
        "task, another CPU in an NMI with interrupts on",
        replace(
            sysrq(),
            cause=sysrq_when_lingering,
            prepare=(f"insmod {paths.GUEST_CRASHER}",),
        ),
        cpu=1,
        checks=(cpu_at(0, "crasher_linger"),),
    ),
    Row("machine-check", "machine check", machine_check(), cpu=1),
    Row("machine-check-everywhere", "machine check of every CPU", machine_check(everywhere=True)),
)

ROWS = {"x86_64": X86_64, "arm64": ()}[paths.ARCH]
