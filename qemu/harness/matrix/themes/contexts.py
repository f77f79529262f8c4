# SPDX-License-Identifier: GPL-2.0
"""Contexts in which no task decides: interrupts, softirqs, workers, the idle task, reclaim, I/O."""

from functools import partial

from harness.matrix.row import Row
from harness.matrix.trigger import Where, armed, crasher, lkdtm_at, run, write

DISK = "dd if=/dev/vda of=/dev/null bs=64k count=64 iflag=direct"
DROP = partial(write, path="/proc/sys/vm/drop_caches", data="2")
LAST_OFFLINE = "echo 0 > /sys/devices/system/cpu/cpu1/online"
LAST_ONLINE = f"{LAST_OFFLINE}; echo 1 > /sys/devices/system/cpu/cpu1/online"

ROWS = (
    *(
        Row(f"ipi-{death}", "interrupt from another CPU", crasher("ipi", death, task=".*"), cpu=1)
        for death in ("panic", "bug", "oops")
    ),
    *(
        Row(f"irq-work-{death}", "hard interrupt", crasher("irq_work", death, task=".*"), cpu=1)
        for death in ("panic", "bug", "oops")
    ),
    *(
        Row(
            f"idle-{death}",
            "interrupt over the idle task",
            crasher("idle", death, ".*flush_smp_call_function_queue", task=r"swapper/\d+"),
            cpu=1,
        )
        for death in ("panic", "oops")
    ),
    *(
        Row(
            f"softirq-{death}",
            "softirq, a tasklet",
            crasher("softirq", death, "tasklet_action_common.*", task=".*"),
            cpu=1,
        )
        for death in ("panic", "bug", "oops")
    ),
    *(
        Row(f"timer-{death}", "softirq, a timer", crasher("timer", death, task=".*"), cpu=1)
        for death in ("panic", "oops")
    ),
    *(
        Row(f"kworker-{death}", "work of a kworker", crasher("kworker", death, task="kworker/.*"))
        for death in ("panic", "bug", "oops")
    ),
    *(
        Row(
            f"reclaim-{death}",
            "reclaim of slabs, in a shrinker",
            armed("reclaim", death, DROP, "reclaim_dies"),
        )
        for death in ("panic", "oops")
    ),
    Row(
        "cpu-comes",
        "a CPU that comes up",
        armed(
            "cpu_comes",
            "panic",
            partial(run, script=LAST_ONLINE),
            argument="1",
            task="cpuhp/1",
            where=Where.ANYWHERE,
        ),
    ),
    Row(
        "cpu-goes",
        "a CPU that goes down",
        armed(
            "cpu_goes",
            "panic",
            partial(run, script=LAST_OFFLINE),
            argument="1",
            task="cpuhp/1",
            where=Where.ANYWHERE,
        ),
    ),
    *(
        Row(
            f"device-irq-{kind.lower()}",
            "hard interrupt of a device, in a kprobe",
            lkdtm_at("INT_HW_IRQ_EN", "handle_irq_event", kind, DISK),
        )
        for kind in ("PANIC", "BUG", "EXCEPTION")
    ),
)
