# SPDX-License-Identifier: GPL-2.0
"""Steps that note what a kernel knows of its firmware."""

from harness.crash.scenario import Facts
from harness.guest.guest import Guest

# The firmware's description of the machine, as the kernel shows it: ACPI's tables, UEFI's
# tables and where its services are mapped, SMBIOS, and the PCI devices with ACPI's names.
SAID_BY_FIRMWARE = r"""
    cd /sys
    sha256sum firmware/acpi/tables/[A-Z]*
    grep -r . firmware/efi/systab firmware/efi/config_table firmware/efi/runtime-map
    grep -r . class/dmi/id/ | grep -v /power/
    cat devices/pci0000:00/firmware_node/path
    ls bus/pci/devices
"""


async def look_at_firmware(guest: Guest, facts: Facts) -> None:
    """Notes what the production kernel knows of its firmware."""
    facts.firmware = await guest.shell(SAID_BY_FIRMWARE)


async def look_at_captured_firmware(guest: Guest, facts: Facts) -> None:
    """Notes what the capture kernel knows of its firmware."""
    facts.captured_firmware = await guest.shell(SAID_BY_FIRMWARE)
