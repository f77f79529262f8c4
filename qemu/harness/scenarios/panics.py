# SPDX-License-Identifier: GPL-2.0
"""Kernels that panic in other ways than by one CPU's sysrq."""

from harness import paths
from harness.crash.scenario import Panic, Scenario
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware

X86_64 = (
    # All CPUs get the NMI. All but one wait in it for that one, where no other NMI reaches them.
    Scenario(
        name="nmi-on-every-cpu",
        hardware=Hardware(cpus=3),
        command_line="crashkernel=256M unknown_nmi_panic apic_extnmi=all",
        panic=Panic(Guest.crash_by_nmi, "NMI: Not continuing", "nmi_panic"),
    ),
)

SCENARIOS = (
    # The kernel stops its CPUs itself, before it comes to us.
    Scenario(
        name="after-notifiers",
        hardware=Hardware(cpus=3),
        command_line="crashkernel=256M crash_kexec_post_notifiers",
    ),
    Scenario(
        name="panic-on-every-cpu",
        hardware=Hardware(cpus=4),
        panic=Panic(Guest.crash_all_cpus, "all CPUs at once", "panic_with_the_others"),
    ),
    *{"x86_64": X86_64, "arm64": ()}[paths.ARCH],
)
