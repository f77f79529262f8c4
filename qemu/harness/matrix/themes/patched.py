# SPDX-License-Identifier: GPL-2.0
"""Others that are in the kernel's functions, and panics that the kernel moves."""

from dataclasses import replace

from drgn import container_of
from drgn.helpers.linux.bpf import bpf_map_for_each

from harness import paths
from harness.crash.scenario import Facts
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.matrix.row import Row
from harness.matrix.trigger import BUG, Where, lkdtm, panics, sysrq

LIVEPATCHED = (
    f"insmod {paths.GUEST_LIVEPATCHED}; "
    "until [ $(cat /sys/kernel/livepatch/livepatched/transition) = 0 ]; do sleep 0.1; done"
)


async def count_panics(guest: Guest, facts: Facts) -> None:
    """A BPF program counts how often panic() is entered."""
    await guest.spawn("bpf-probe", "panic")


def counted(dump: Dump, facts: Facts) -> None:
    """The BPF program ran when the kernel panicked: its map is in the dump."""
    counts = []
    for found in bpf_map_for_each(dump.program):
        array = container_of(found, "struct bpf_array", "map")
        counts.append(dump.program.read_u64(array.value.address_))
    assert counts == [1]


ROWS = (
    Row(
        "livepatch",
        "task, in a livepatch",
        replace(
            sysrq(),
            says=panics("livepatched: sysrq$"),
            functions=("livepatched_handle_crash", "write_sysrq_trigger"),
        ),
        setup=(LIVEPATCHED,),
        needs=("LIVEPATCH",),
    ),
    Row(
        "bpf",
        "task, a BPF program in panic()",
        sysrq(),
        before=(count_panics,),
        checks=(counted,),
        needs=("BPF_EVENTS", "KPROBE_EVENTS"),
    ),
    Row(
        "moved-panic",
        "interrupt from the CPU that panicked first, panic_force_cpu=1",
        replace(
            sysrq(),
            functions=("do_panic_on_target_cpu",),
            task=".*",
            where=Where.ELSEWHERE,
            stuck="sysrq_handle_crash",
            symbols=("panic_try_force_cpu",),
        ),
        options="panic_force_cpu=1",
    ),
    Row(
        "timer-irq-panic",
        "hard interrupt, a timer",
        replace(
            lkdtm("PANIC_IN_HARDIRQ", panics("from hard IRQ context$"), "panic_in_hardirq"),
            symbols=("lkdtm_PANIC_IN_HARDIRQ",),
        ),
        cpu=1,
    ),
    Row(
        "timer-irq-bug",
        "hard interrupt, a timer",
        replace(
            lkdtm("BUG_IN_HARDIRQ", BUG, "bug_in_hardirq", at="bug_in_hardirq"),
            symbols=("lkdtm_BUG_IN_HARDIRQ",),
        ),
        cpu=1,
    ),
)
