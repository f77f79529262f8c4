# SPDX-License-Identifier: GPL-2.0
"""The machine that a guest runs on, and what executes it."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from harness import paths
from harness.machine.platform import PLATFORM
from harness.units import MIB

# The most memory that can be plugged into a guest.
PLUGGED_MIB_MAX = 2048

# QEMU's `-accel` where instructions are counted: each is 2^0 ns, and a guest that waits for its
# clock finds that it has waited.
COUNTING = ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off")


@dataclass(frozen=True)
class Hardware:
    """The machine that a guest runs on."""

    cpus: int = 2
    memory_mib: int = 1024
    cpu: str = PLATFORM.cpu
    options: tuple[str, ...] = ()
    """Further options of QEMU's `-machine`."""
    firmware: bool = False
    """Whether UEFI starts the kernel, and describes the machine by ACPI."""
    secure_boot: bool = False
    """x86_64: whether UEFI with Secure Boot starts it; see `harness.machine.secure_boot`."""
    spin_table: bool = False
    """arm64: whether firmware without PSCI starts it; see `harness.machine.spin_table`."""
    device_tree: str = ""
    """arm64: what is added to the source of the machine's device tree."""
    arguments: tuple[str, ...] = ()
    """Further arguments for QEMU."""
    hotplug: bool = False
    """Whether memory can be plugged in, and CPUs where the platform has that."""
    counting: bool = False
    """Whether the guest's clock counts its instructions, one a nanosecond. Needs TCG."""
    network: str = ""
    """QEMU's model of a network card that frames keep coming to, see `harness.machine.network`."""
    open_memory: bool = False
    """Whether the harness can change the guest's memory, see `Machine.flip`."""
    keeps_memory: bool = False
    """Whether QEMU writes a dump of a guest in which an event did not come."""
    stays: bool = False
    """Whether QEMU keeps a guest that has ended, so that its memory can be looked at."""


def sparse(memory_mib: int) -> tuple[str, ...]:
    """QEMU's arguments for so much memory where the host may have less.

    What a guest never touches takes no room, and the host is not asked whether it had it.
    """
    return (
        *("-object", f"memory-backend-ram,id=sparse,size={memory_mib * MIB},reserve=off"),
        *("-machine", "memory-backend=sparse"),
    )


def kvm_works() -> bool:
    """Whether KVM can run a guest.

    The device alone does not tell: some hosts have it without the CPU's virtualisation
    extensions, and a guest there never gets past its early boot.
    """
    if paths.ARCH != platform.machine():
        return False
    flags = Path("/proc/cpuinfo").read_text().split()
    return ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def accelerator() -> str:
    """QEMU's `-accel`."""
    return "kvm" if kvm_works() else "tcg,thread=multi"
