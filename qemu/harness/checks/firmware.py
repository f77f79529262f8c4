# SPDX-License-Identifier: GPL-2.0
"""Checks of what the firmware hands from kernel to kernel."""

from harness.crash.scenario import Facts
from harness.dump.dump import Dump


def handed_over_by_firmware(dump: Dump, facts: Facts) -> None:
    """x86_64: the capture kernel knows of UEFI, ACPI and SMBIOS what the crashed kernel knew."""
    for known in ("tables/APIC", "SMBIOS=", "runtime-map/0/virt_addr", "QEMU", r"\_SB_.PCI0"):
        assert known in facts.firmware, known
    assert facts.captured_firmware == facts.firmware


def described_by_acpi(dump: Dump, facts: Facts) -> None:
    """The kernel took the machine's description from ACPI, not from a device tree."""
    assert not dump.program["acpi_disabled"].value_()
