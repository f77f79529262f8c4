# SPDX-License-Identifier: GPL-2.0
"""Firmware, interrupt controllers, and exception levels."""

from harness import paths
from harness.checks.cpus import at_exception_level, parked, spinning_registers
from harness.checks.firmware import described_by_acpi, handed_over_by_firmware
from harness.checks.memory import pattern_pages
from harness.crash.scenario import Scenario
from harness.guest.loading import CAPTURE, CONSOLE
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.scenarios.memory import REGION_AMID_MEMORY
from harness.steps.cpus import look_at_stopped_cpus, spin_on_the_last_cpu
from harness.steps.firmware import look_at_captured_firmware, look_at_firmware
from harness.steps.memory import fill_pages

X86_64 = (
    # Under UEFI nothing but the boot parameters leads to ACPI's tables.
    Scenario(
        name="uefi-acpi",
        hardware=Hardware(cpus=4, firmware=True),
        before=(look_at_firmware,),
        captured=(look_at_captured_firmware,),
        checks=(handed_over_by_firmware,),
        needs=("EFI_STUB",),
    ),
    # Without its local APIC the capture kernel depends on the interrupts and the timer of a PC.
    Scenario(name="captured-without-local-apic", capture_command_line=f"{CAPTURE} nolapic"),
)

ARM64 = (
    Scenario(
        name="uefi-acpi",
        hardware=Hardware(cpus=4, firmware=True),
        checks=(described_by_acpi,),
        needs=("EFI_STUB", "ACPI"),
    ),
    # With -cpu max the kernel stays at EL2 (VHE); the other CPU has no VHE, so it goes to EL1.
    Scenario(
        name="gicv2-vhe",
        hardware=Hardware(options=("gic-version=2", "virtualization=on")),
        checks=(at_exception_level(2),),
    ),
    Scenario(
        name="gicv3-nvhe",
        hardware=Hardware(cpu=PLATFORM.other_paging, options=("virtualization=on",)),
        checks=(at_exception_level(1),),
    ),
    # A CPU that firmware cannot switch off waits in the crashed kernel. The capture kernel, which
    # may use all CPUs here, goes on without it.
    Scenario(
        name="spin-table",
        hardware=Hardware(memory_mib=2048, cpu=PLATFORM.other_paging, spin_table=True),
        command_line=REGION_AMID_MEMORY,
        capture_command_line=f"{CONSOLE} {PLATFORM.early_console}",
        before=(spin_on_the_last_cpu, fill_pages),
        captured=(look_at_stopped_cpus,),
        checks=(spinning_registers, pattern_pages, parked),
    ),
)

SCENARIOS = {"x86_64": X86_64, "arm64": ARM64}[paths.ARCH]
