# SPDX-License-Identifier: GPL-2.0
"""Kernels that were built without KEXEC and CRASH_DUMP: the module brings all that a dump needs."""

from dataclasses import replace

from harness.checks.cpus import interrupts_disabled, spinning_registers
from harness.checks.hooks import at
from harness.checks.vmcoreinfo import describes_the_kernel
from harness.crash.scenario import Panic, Scenario
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.scenarios.no_ftrace import OOPS
from harness.steps.cpus import disable_interrupts_on_the_last_cpu, spin_on_the_last_cpu
from harness.steps.hooks import crash_by_oops, panic_on_oops
from harness.steps.reserving import reserve

OWN = (
    Scenario(
        name="registers",
        hardware=Hardware(cpus=4),
        before=(spin_on_the_last_cpu,),
        checks=(spinning_registers, describes_the_kernel),
    ),
    Scenario(
        name="oops",
        hardware=Hardware(cpus=2),
        prepare=(panic_on_oops,),
        panic=Panic(crash_by_oops, OOPS, "crasher_oops"),
        checks=(at("crasher_oops"),),
    ),
    Scenario(
        name="interrupts-off",
        hardware=Hardware(cpus=3),
        command_line=PLATFORM.nmi_option,
        before=(disable_interrupts_on_the_last_cpu,),
        checks=(interrupts_disabled,),
    ),
    Scenario(
        name="after-notifiers",
        hardware=Hardware(cpus=2),
        command_line="crash_kexec_post_notifiers",
    ),
    Scenario(
        name="panic-on-every-cpu",
        hardware=Hardware(cpus=4),
        panic=Panic(Guest.crash_all_cpus, "all CPUs at once", "panic_with_the_others"),
    ),
)

SCENARIOS = tuple(
    replace(
        scenario,
        # Nothing is reserved at boot: the kernel does not know crashkernel=.
        command_line=scenario.command_line.replace("crashkernel=256M", ""),
        prepare=(reserve, *scenario.prepare),
    )
    for scenario in OWN
)
