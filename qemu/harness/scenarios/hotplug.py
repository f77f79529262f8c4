# SPDX-License-Identifier: GPL-2.0
"""Memory and CPUs that come and go between the load and the crash."""

from harness import paths
from harness.checks.cpus import spinning_registers
from harness.checks.memory import pattern_pages, pulled_memory_left_out
from harness.crash.scenario import Scenario
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.cpus import plug_a_cpu, restart_the_last_cpu, spin_on_the_last_cpu
from harness.steps.memory import plug_and_pull_memory
from harness.steps.replacing import load_again

# Memory that is plugged in is used at once, for what can be moved away again.
USE_PLUGGED_MEMORY = "memhp_default_state=online_movable"

X86_64 = (
    Scenario(
        name="hotplug",
        hardware=Hardware(hotplug=True, cpu=f"{PLATFORM.cpu},hypervisor=off"),
        command_line=f"crashkernel=256M {USE_PLUGGED_MEMORY}",
        before=(
            load_again,
            plug_and_pull_memory,
            restart_the_last_cpu,
            plug_a_cpu,
            spin_on_the_last_cpu,
        ),
        checks=(
            pattern_pages,
            pulled_memory_left_out,
            spinning_registers,
        ),
        needs=("MEMORY_HOTREMOVE", "ACPI_HOTPLUG_MEMORY", "ACPI_HOTPLUG_CPU"),
    ),
)

ARM64 = (
    # QEMU's virt has no CPUs that could be plugged in.
    Scenario(
        name="hotplug",
        hardware=Hardware(firmware=True, hotplug=True),
        command_line=f"crashkernel=256M {USE_PLUGGED_MEMORY}",
        before=(
            load_again,
            plug_and_pull_memory,
            restart_the_last_cpu,
            spin_on_the_last_cpu,
        ),
        checks=(
            pattern_pages,
            pulled_memory_left_out,
            spinning_registers,
        ),
        needs=("MEMORY_HOTREMOVE", "ACPI_HOTPLUG_MEMORY", "HOTPLUG_CPU"),
    ),
)

SCENARIOS = {"x86_64": X86_64, "arm64": ARM64}[paths.ARCH]
