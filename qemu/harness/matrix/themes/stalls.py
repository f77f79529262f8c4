# SPDX-License-Identifier: GPL-2.0
"""Locks, calls and workers that are waited for in vain, freed memory, and a full console."""

from functools import partial

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.machine.platform import PLATFORM
from harness.matrix.checks import cpu_at, logged
from harness.matrix.row import Row
from harness.matrix.themes.detectors import SOFT, SOON
from harness.matrix.trigger import CRASHER, LKDTM, Trigger, Where, lkdtm, panics, sysrq, write

SOFT_LOCKUP = panics("softlockup: hung tasks$")

STALLED = Trigger(
    name="a worker that does not end",
    cause=partial(write, path=CRASHER, data="workqueue_stall nothing 1"),
    says="BUG: workqueue lockup - pool",
    functions=("wq_watchdog_timer_fn",),
    task=".*",
    where=Where.ANYWHERE,
    stuck="work_stays",
    options=("WQ_WATCHDOG",),
    prepare=(f"insmod {paths.GUEST_CRASHER}",),
)


async def flood_the_console(guest: Guest, facts: Facts) -> None:
    """A thread on the last CPU prints without end."""
    await guest.shell(f"echo console_flood nothing 1 > {CRASHER}")


ROWS = (
    Row(
        "spinlock",
        "timer interrupt over a task that waits for a spinlock",
        lkdtm(
            "SPINLOCKUP",
            SOFT_LOCKUP,
            "watchdog_timer_fn",
            "queued_spin_lock_slowpath",
            # lkdtm_SPINLOCKUP() ends by jumping to what takes the lock.
            "lkdtm_do_action",
            options=("SOFTLOCKUP_DETECTOR",),
        ),
        setup=(SOON, SOFT, f"sh -c 'echo SPINLOCKUP > {LKDTM}/DIRECT' || :"),
        cpu=1,
        # It would sleep for the spinlock.
        without=("PREEMPT_RT",),
    ),
    Row(
        "call-of-another-cpu",
        "timer interrupt over a task that waits for another CPU",
        lkdtm(
            "SMP_CALL_LOCKUP",
            SOFT_LOCKUP,
            "watchdog_timer_fn",
            "lkdtm_SMP_CALL_LOCKUP",
            options=("SOFTLOCKUP_DETECTOR",),
        ),
        options=PLATFORM.nmi_option,
        # Nobody else must tell of the deaf CPU: 7.x does so again and again, and each time the CPU
        # that tells counts as alive.
        setup=(SOON, SOFT, "echo 0 > /proc/sys/kernel/nmi_watchdog"),
        checks=(cpu_at(1, "__lkdtm_SMP_CALL_LOCKUP"),),
    ),
    Row(
        "workqueue",
        "softirq, a timer that watches workqueues",
        STALLED,
        options="workqueue.panic_on_stall=1 workqueue.watchdog_thresh=3",
        cpu=1,
    ),
    Row(
        "read-after-free",
        "task, in an exception, panic_on_warn",
        lkdtm(
            "KFENCE_READ_AFTER_FREE",
            panics("KFENCE: panic_on_warn set"),
            "kfence_report_error",
            "lkdtm_KFENCE_READ_AFTER_FREE",
            options=("KFENCE",),
        ),
        options="kfence.sample_interval=100",
        setup=("echo 1 > /proc/sys/kernel/panic_on_warn",),
    ),
    Row(
        "console-flood",
        "task, another CPU prints without end",
        sysrq(),
        setup=(f"insmod {paths.GUEST_CRASHER}",),
        before=(flood_the_console,),
        checks=(logged("crasher: line [0-9]+$"),),
    ),
)
