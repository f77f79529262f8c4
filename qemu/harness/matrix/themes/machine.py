# SPDX-License-Identifier: GPL-2.0
"""The machine around the crash: CPUs, memory, address spaces, tracers, and the image's life."""

from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.matrix.row import Row
from harness.matrix.trigger import Trigger, Where, panics, sysrq
from harness.steps.cpus import restart_the_last_cpu, take_the_last_cpu_offline


async def load_again(guest: Guest, facts: Facts) -> None:
    """The image is dropped, loaded, and replaced."""
    await guest.unload()
    await guest.load()
    await guest.load()
    facts.status = await guest.status()


async def break_on_serial(guest: Guest, cpu: int) -> None:
    """A BREAK on the serial line, and the letter."""
    guest.crash_line = len(guest.machine.console.lines)
    await guest.machine.execute("chardev-send-break", id="console")
    await guest.machine.console.send(b"c")


SERIAL = Trigger(
    name="BREAK and c on the serial line",
    cause=break_on_serial,
    says=panics("sysrq triggered crash$"),
    functions=("sysrq_handle_crash",),
    task=".*",
    where=Where.ANYWHERE,
    options=("MAGIC_SYSRQ_SERIAL",),
)

TRACING = "mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || :; cd /sys/kernel/tracing"

ROWS = (
    Row("serial-break", "hard interrupt of the serial port", SERIAL),
    *(
        Row(
            f"cpus-{cpus}",
            f"task, {cpus} CPU" + "s" * (cpus > 1),
            sysrq(),
            hardware=Hardware(cpus=cpus, memory_mib=1024),
            cpu=-1,
        )
        for cpus in (1, 8, 16)
    ),
    Row(
        "memory-600m",
        "task, 600 MiB",
        sysrq(),
        hardware=Hardware(memory_mib=600),
        region="crashkernel=192M",
    ),
    Row("memory-5g", "task, memory above 4 GiB", sysrq(), hardware=Hardware(memory_mib=5120)),
    Row("no-kaslr", "task, nokaslr", sysrq(), options="nokaslr"),
    Row(
        "other-paging",
        "task",
        sysrq(),
        hardware=Hardware(memory_mib=768, cpu=PLATFORM.other_paging),
    ),
    Row(
        "cpu-offline",
        "task, a CPU gone after the load",
        sysrq(),
        hardware=Hardware(cpus=3, memory_mib=768),
        before=(take_the_last_cpu_offline,),
    ),
    Row(
        "cpu-restarted",
        "task, a CPU gone and come after the load",
        sysrq(),
        before=(restart_the_last_cpu,),
    ),
    Row("loaded-again", "task, unloaded, loaded and replaced", sysrq(), before=(load_again,)),
    Row(
        "function-tracer",
        "task, every function traced",
        sysrq(),
        setup=(f"{TRACING}; echo function > current_tracer",),
    ),
    Row(
        "kprobe-events",
        "task, kprobes in panic() and in the scheduler",
        sysrq(),
        setup=(
            (
                f"{TRACING}; echo p:one panic > kprobe_events; "
                "echo p:two schedule >> kprobe_events; echo 1 > events/kprobes/enable"
            ),
        ),
        needs=("KPROBE_EVENTS",),
    ),
)
