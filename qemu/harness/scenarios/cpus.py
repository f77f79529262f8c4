# SPDX-License-Identifier: GPL-2.0
"""CPUs that are busy, deaf, off, or many."""

from harness import paths
from harness.checks.cpus import (
    interrupts_disabled,
    spin_with_known_registers,
    spinning_registers,
)
from harness.crash.scenario import Panic, Scenario
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.cpus import (
    crash_by_nmi_with_interrupts_disabled,
    disable_interrupts_on_all_but_the_first,
    disable_interrupts_on_the_last_cpu,
    spin_on_the_last_cpu,
    take_the_last_cpu_offline,
)

SIXTEEN = Hardware(cpus=16, memory_mib=768)

X86_64 = (
    Scenario(
        name="interrupts-off-sixteen-of-sixteen",
        hardware=SIXTEEN,
        command_line="crashkernel=256M unknown_nmi_panic",
        before=(disable_interrupts_on_all_but_the_first,),
        panic=Panic(crash_by_nmi_with_interrupts_disabled, "NMI: Not continuing", "nmi_panic"),
        checks=(spin_with_known_registers(range(16)),),
    ),
)

ARM64 = (
    # On x86_64 there are always NMIs.
    Scenario(
        name="interrupts-off-pseudo-nmi",
        hardware=Hardware(cpus=3),
        command_line=f"crashkernel=256M {PLATFORM.nmi_option}",
        before=(disable_interrupts_on_the_last_cpu,),
        checks=(interrupts_disabled,),
    ),
)

SCENARIOS = (
    Scenario(
        name="registers",
        before=(spin_on_the_last_cpu,),
        checks=(spinning_registers,),
    ),
    Scenario(
        name="interrupts-off",
        hardware=Hardware(cpus=3),
        before=(disable_interrupts_on_the_last_cpu,),
        checks=(interrupts_disabled,),
    ),
    Scenario(
        name="interrupts-off-fifteen-of-sixteen",
        hardware=SIXTEEN,
        command_line=f"crashkernel=256M {PLATFORM.nmi_option}".strip(),
        before=(disable_interrupts_on_all_but_the_first,),
        checks=(spin_with_known_registers(range(1, 16)),),
    ),
    # One CPU is never started, one is taken offline.
    Scenario(
        name="some-cpus-off",
        hardware=Hardware(cpus=4),
        command_line="crashkernel=256M maxcpus=3",
        before=(take_the_last_cpu_offline,),
    ),
    *{"x86_64": X86_64, "arm64": ARM64}[paths.ARCH],
)
