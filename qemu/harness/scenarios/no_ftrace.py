# SPDX-License-Identifier: GPL-2.0
"""Kernels without ftrace, whose kprobes are of no use either."""

from dataclasses import replace

from harness import paths
from harness.checks.cpus import interrupts_disabled, spinning_registers
from harness.checks.hooks import at, stopped_by_the_kernel
from harness.crash.scenario import Panic, Scenario
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.scenarios.replacing import IN_A_LOAD
from harness.steps.cpus import disable_interrupts_on_the_last_cpu, spin_on_the_last_cpu
from harness.steps.hooks import crash_by_oops, panic_on_oops, switch_kprobes_off
from harness.steps.replacing import FIRST, first_image, have_the_next_load_panic

OOPS = {"x86_64": "Fatal exception", "arm64": "Oops: Fatal exception"}[paths.ARCH]

X86_64 = (
    # On arm64 the registers of a CPU that panics too, outside of an interrupt, are lost.
    Scenario(
        name="panic-on-every-cpu",
        hardware=Hardware(cpus=4),
        panic=Panic(Guest.crash_all_cpus, "all CPUs at once", "panic_with_the_others"),
    ),
)

SWITCHED_OFF = (
    Scenario(
        name="registers",
        hardware=Hardware(cpus=3),
        before=(spin_on_the_last_cpu,),
        checks=(spinning_registers,),
    ),
    Scenario(
        name="oops",
        hardware=Hardware(cpus=3),
        prepare=(panic_on_oops,),
        panic=Panic(crash_by_oops, OOPS, "crasher_oops"),
        checks=(at("crasher_oops"),),
    ),
    Scenario(
        name="interrupts-off",
        hardware=Hardware(cpus=3),
        before=(disable_interrupts_on_the_last_cpu,),
        checks=(interrupts_disabled,),
    ),
    Scenario(
        name="after-notifiers",
        hardware=Hardware(cpus=3),
        command_line="crashkernel=256M crash_kexec_post_notifiers",
        checks=(stopped_by_the_kernel,),
    ),
    *{"x86_64": X86_64, "arm64": ()}[paths.ARCH],
)

SCENARIOS = (
    *(
        replace(scenario, prepare=(*scenario.prepare, switch_kprobes_off))
        for scenario in SWITCHED_OFF
    ),
    Scenario(
        name="in-a-kprobe",
        capture_command_line=FIRST,
        before=(have_the_next_load_panic,),
        panic=IN_A_LOAD,
        captured=(first_image,),
    ),
)
