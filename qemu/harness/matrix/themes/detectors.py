# SPDX-License-Identifier: GPL-2.0
"""CPUs and tasks that do not go on, memory that runs out, and who finds that."""

from dataclasses import replace
from functools import partial

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.matrix.checks import cpu_at, sleeper
from harness.matrix.row import Row
from harness.matrix.trigger import CRASHER, LKDTM, Trigger, Where, crasher, lkdtm, panics, run
from harness.steps.cpus import leave_to_the_first_cpu

SOON = "echo 3 > /proc/sys/kernel/watchdog_thresh"
SOFT = "echo 1 > /proc/sys/kernel/softlockup_panic"
HUNG = (
    "echo 3 > /proc/sys/kernel/hung_task_timeout_secs",
    "echo 1 > /proc/sys/kernel/hung_task_panic",
)
# A script that takes more memory than there is.
HOG = "dd if=/dev/zero of=/dev/null bs=2000M count=1"


async def deafen_all_but_the_first(guest: Guest, facts: Facts) -> None:
    """All other CPUs spin with interrupts disabled, which an NMI passes."""
    await guest.shell(f"insmod {paths.GUEST_CRASHER}")
    await leave_to_the_first_cpu(guest, range(1, facts.hello.cpus_online))
    for cpu in range(1, facts.hello.cpus_online):
        await guest.write(CRASHER, f"ipi spin {cpu}\n")


async def panic_at_once(guest: Guest, cpu: int) -> None:
    """A panic on the agent's CPU, where a program could not be started any more."""
    await guest.crash_by_writing(f"{LKDTM}/DIRECT", "PANIC")


def out_of_memory(kind: str, hog: str) -> Trigger:
    """A process wants more memory than it can have."""
    return Trigger(
        name="out of memory",
        cause=partial(run, script=hog),
        says=panics(f"Out of memory: {kind} panic_on_oom is enabled$"),
        functions=("out_of_memory",),
        task=".*",
        where=Where.ANYWHERE,
    )


CROSSWISE = Trigger(
    name="two mutexes, taken crosswise",
    cause=crasher("crosswise", "panic").cause,
    says=panics("hung_task: blocked tasks$"),
    functions=("watchdog",),
    task="khungtaskd",
    where=Where.ANYWHERE,
    options=("DETECT_HUNG_TASK",),
    prepare=(f"insmod {paths.GUEST_CRASHER}",),
)

STACK_END = Trigger(
    name="the end of a stack is overwritten",
    cause=crasher("stack_end", "panic").cause,
    says=panics("corrupted stack end detected inside scheduler$"),
    functions=("smash_stack_end",),
    task="stack_smasher",
    options=("SCHED_STACK_END_CHECK",),
    prepare=(f"insmod {paths.GUEST_CRASHER}",),
)

# Who finds a CPU that spins with interrupts disabled. On arm64 its performance counters do, whose
# interrupt is an NMI in a kernel with PLATFORM.nmi_option; QEMU's PMU on x86_64 has none.
HARD_LOCKUP = {
    "x86_64": (
        "timer interrupt of the other CPU",
        lkdtm(
            "HARDLOCKUP",
            panics("Hard LOCKUP$"),
            "watchdog_hardlockup_check",
            task=".*",
            where=Where.ELSEWHERE,
            stuck="lkdtm_HARDLOCKUP",
            options=("HARDLOCKUP_DETECTOR",),
        ),
    ),
    "arm64": (
        "NMI of the performance counters",
        lkdtm(
            "HARDLOCKUP",
            panics("Hard LOCKUP$"),
            "watchdog_hardlockup_check",
            "lkdtm_HARDLOCKUP",
            options=("HARDLOCKUP_DETECTOR_PERF",),
        ),
    ),
}[paths.ARCH]

ROWS = (
    Row(
        "soft-lockup",
        "timer interrupt over the spinner",
        lkdtm(
            "SOFTLOCKUP",
            panics("softlockup: hung tasks$"),
            "watchdog_timer_fn",
            "lkdtm_SOFTLOCKUP",
            options=("SOFTLOCKUP_DETECTOR",),
        ),
        setup=(SOON, SOFT),
        cpu=1,
    ),
    Row(
        "hard-lockup",
        *HARD_LOCKUP,
        options=PLATFORM.nmi_option,
        setup=(SOON, "echo 1 > /proc/sys/kernel/hardlockup_panic"),
        cpu=1,
    ),
    Row(
        "rcu-stall",
        "timer interrupt, looper elsewhere or here",
        # With preemption off: a kernel that preempts passes LOOP by.
        lkdtm(
            "SOFTLOCKUP",
            panics("RCU Stall$"),
            where=Where.ANYWHERE,
            task=".*",
            stuck="lkdtm_SOFTLOCKUP",
        ),
        options="rcupdate.rcu_cpu_stall_timeout=4",
        setup=("echo 1 > /proc/sys/kernel/panic_on_rcu_stall",),
        cpu=1,
    ),
    Row(
        "hung-task",
        "khungtaskd",
        lkdtm(
            "HUNG_TASK",
            panics("hung_task: blocked tasks$"),
            "watchdog",
            task="khungtaskd",
            where=Where.ANYWHERE,
            options=("DETECT_HUNG_TASK",),
        ),
        setup=HUNG,
        checks=(sleeper("agent", "lkdtm_HUNG_TASK"),),
    ),
    Row(
        "crosswise-mutexes",
        "khungtaskd",
        CROSSWISE,
        setup=HUNG,
        checks=(
            sleeper("first_second", "lock_crosswise"),
            sleeper("second_first", "lock_crosswise"),
        ),
    ),
    Row("stack-end", "scheduler", STACK_END, cpu=1),
    Row(
        "out-of-memory",
        "page fault, reclaim",
        out_of_memory("system-wide", HOG),
        setup=("echo 1 > /proc/sys/vm/panic_on_oom; echo 1 > /proc/sys/vm/overcommit_memory",),
    ),
    Row(
        "out-of-memory-cgroup",
        "page fault, reclaim of a cgroup",
        out_of_memory("compulsory", f"echo $$ > /tmp/cg/small/cgroup.procs; {HOG}"),
        setup=(
            "echo 2 > /proc/sys/vm/panic_on_oom; echo 1 > /proc/sys/vm/overcommit_memory",
            "mkdir /tmp/cg; mount -t cgroup2 none /tmp/cg; mkdir -p /tmp/cg/small",
            "echo +memory > /tmp/cg/cgroup.subtree_control; echo 32M > /tmp/cg/small/memory.max",
        ),
        needs=("MEMCG",),
    ),
    *{
        "x86_64": (
            Row(
                "fifteen-of-sixteen-deaf",
                "task, all other CPUs with interrupts off",
                replace(lkdtm("PANIC", panics("dumptest$")), cause=panic_at_once),
                hardware=Hardware(cpus=16, memory_mib=1024),
                before=(deafen_all_but_the_first,),
                checks=tuple(cpu_at(cpu, "crasher_spin") for cpu in range(1, 16)),
            ),
        ),
        "arm64": (),
    }[paths.ARCH],
)
