# SPDX-License-Identifier: GPL-2.0
"""Panics of tasks, of the kernel's own making, and of several CPUs."""

from functools import partial

from harness import paths
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.matrix.checks import logged
from harness.matrix.row import Outcome, Row
from harness.matrix.trigger import (
    NULL_POINTER,
    Trigger,
    Where,
    armed,
    by_arch,
    crasher,
    lkdtm,
    panics,
    run,
    sysrq,
    write,
)

FOUR = Hardware(cpus=4, memory_mib=768)
LKDTM_FILE = "/sys/kernel/debug/provoke-crash/DIRECT"


async def all_at_once(guest: Guest, cpu: int) -> None:
    """All CPUs panic."""
    await guest.crash_all_cpus()


AT_ONCE = Trigger(
    name="panic on every CPU at once",
    cause=all_at_once,
    says=panics("all CPUs at once$"),
    functions=("panic_with_the_others",),
    task=".*",
    where=Where.ANYWHERE,
)

# init goes on to `poweroff`, which busybox finds by its link or by /proc/self/exe.
END_AGENT = "rm /bin/poweroff; agent=$(pidof agent); umount -l /proc; kill -9 $agent"

PID_1 = Trigger(
    name="PID 1 exits",
    cause=partial(run, script=END_AGENT),
    says=panics("Attempted to kill init! exitcode="),
    functions=("do_exit",),
    task="init",
    where=Where.ANYWHERE,
)

CRASH = partial(write, path="/proc/sysrq-trigger", data="c")
EXCEPTION_LIVES = f"sh -c 'echo EXCEPTION > {LKDTM_FILE}' || true"
WARN = f"echo WARNING > {LKDTM_FILE}"

ROWS = (
    Row("sysrq", "task, by /proc", sysrq(), core=True),
    Row("sysrq-last-cpu", "task on the last CPU", sysrq(), hardware=FOUR, cpu=-1),
    Row("panic", "task", lkdtm("PANIC", panics("dumptest$"))),
    Row("panic-last-cpu", "task on the last CPU", lkdtm("PANIC", panics("dumptest$")), cpu=-1),
    Row(
        "panic-stop-machine",
        "every CPU with interrupts off",
        lkdtm(
            "PANIC_STOP_IRQOFF",
            panics("panic stop irqoff test$"),
            "panic_stop_irqoff_fn",
            task="migration/.*",
            where=Where.ANYWHERE,
        ),
        hardware=FOUR,
        options=PLATFORM.nmi_option,
    ),
    Row("panic-kthread", "kernel thread", crasher("kthread", "panic", task="crasher"), cpu=1),
    Row("two-at-once", "interrupt, two CPUs at once", AT_ONCE),
    Row("four-at-once", "interrupt, four CPUs at once", AT_ONCE, hardware=FOUR),
    Row("pid-1", "PID 1, in the initramfs", PID_1),
    Row("post-notifiers", "task, after notifiers", sysrq(), options="crash_kexec_post_notifiers"),
    Row(
        "panicking-notifier",
        "panic inside the panic, in a notifier",
        armed("panic_notifier", "panic", CRASH, "panic_notifier_dies"),
        options="crash_kexec_post_notifiers",
    ),
    Row(
        "console-held",
        "task, console lock held by a thread",
        sysrq(),
        setup=(
            (
                f"insmod {paths.GUEST_CRASHER}; "
                "echo console_held panic 1 > /sys/module/crasher/parameters/crash"
            ),
        ),
    ),
    Row(
        "reboot",
        "during a reboot",
        armed("reboot", "panic", partial(run, script="reboot -f"), "reboot_dies", task="reboot"),
    ),
    Row(
        "our-load",
        "our load, an earlier image armed",
        armed(
            "function",
            "panic",
            partial(
                run,
                script="rkexec --load-panic /boot/vmlinuz --initrd=/boot/initrd",
            ),
            argument="kernel_read_file",
            task="rkexec",
            symbols=("kernel_read_file",),
        ),
    ),
    Row(
        "oops-lives",
        "task, panic_on_oops=0",
        sysrq(),
        setup=(EXCEPTION_LIVES,),
        checks=(logged(NULL_POINTER),),
        outcome=Outcome.LIVES,
        needs=("LKDTM",),
    ),
    Row(
        "oops-limit",
        "task that is ended",
        Trigger(
            name="LKDTM EXCEPTION, oops_limit=1",
            cause=partial(write, path=LKDTM_FILE, data="EXCEPTION"),
            says=panics(r"Oopsed too often \(kernel.oops_limit is 1\)$"),
            # x86_64 has given up the task's stack by then, and with it the oops.
            functions=(by_arch(x86_64="make_task_dead", arm64="lkdtm_EXCEPTION"),),
            options=("LKDTM",),
        ),
        setup=("echo 1 > /proc/sys/kernel/oops_limit",),
    ),
    Row(
        "panic-on-warn",
        "task, in an exception",
        lkdtm("WARNING", panics("kernel: panic_on_warn set")),
        setup=("echo 1 > /proc/sys/kernel/panic_on_warn",),
    ),
    Row(
        "warn-limit",
        "task, the second warning",
        lkdtm("WARNING", panics("kernel: system warned too often")),
        setup=("echo 2 > /proc/sys/kernel/warn_limit", WARN),
    ),
    Row(
        "panic-on-taint",
        "task that taints the kernel",
        lkdtm("WARNING", panics("panic_on_taint set")),
        options="panic_on_taint=0x200",
    ),
    Row(
        "refcount",
        "task, panic_on_warn",
        lkdtm("REFCOUNT_INC_OVERFLOW", panics("kernel: panic_on_warn set")),
        setup=("echo 1 > /proc/sys/kernel/panic_on_warn",),
    ),
    Row(
        "in-the-capture-kernel",
        "task of the capture kernel",
        sysrq(),
        outcome=Outcome.REBOOTS,
    ),
)
