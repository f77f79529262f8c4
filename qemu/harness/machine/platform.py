# SPDX-License-Identifier: GPL-2.0
"""The architectures of guests, and the differences between them."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from harness import paths

# A CPU with every feature but two, which tell the kernel to copy and clear memory by `rep movsb`
# and `rep stosb`: TCG executes those byte by byte (seen with QEMU 7.2).
X86_CPU = "max,erms=off,fsrm=off"


@dataclass(frozen=True)
class Platform:
    """An architecture: QEMU's machine, the kernel's words for its devices, a dump's registers."""

    qemu: str
    machine: tuple[str, ...]
    cpu: str
    """A CPU model with every feature that QEMU has."""
    firmware: str
    """UEFI for that machine, as Debian's ovmf or qemu-efi-aarch64 has it."""
    console: str
    """The first serial port, as `console=` names it."""
    early_console: str
    """The option that makes the kernel print to it from its first line on."""
    late_clocks: str
    """Options for every kernel: the clocks of a guest on a busy host are late, not broken.

    And 7.3.4 hangs now and then when it checks whether the TSCs of two CPUs agree, in one of 150
    boots with three CPUs and without our module: watchdog_check_skew() waits with interrupts off
    for a CPU that stop_machine() has stopped, which it does for this CPU, while the kernel takes a
    clock; and the time that this is given is told by jiffies, which stand still then.
    """
    middle_region: str
    """A `crashkernel=` with memory of a 2 GiB guest on both sides."""
    kept_free: tuple[str, range]
    """An option that keeps memory of a 2 GiB guest free, and that memory."""
    page: int
    """Length of a page, and of a page table."""
    first_ram: int
    """The address of the first byte of RAM."""
    verification_region: str
    """A `crashkernel=` of 320 MiB at a fixed place, for a 768 MiB guest."""
    not_in_dump: range
    """Memory that is left out besides the crash regions."""
    other_paging: str
    """A CPU model that pages in another way than `cpu`."""
    handover: str
    """The segment that carries the boot parameters or the device tree."""
    image: str
    """A refusal's word for a kernel image."""
    plugs_memory_by_firmware: bool
    """Whether memory can be plugged in only under UEFI."""
    plugs_cpus: tuple[str, ...]
    """QEMU's arguments for CPUs to be plugged in, where it has that."""
    prstatus_size: int
    registers: tuple[str, ...]
    """The general registers in an NT_PRSTATUS note, in its order."""
    instruction_pointer: str
    user_mode: Callable[[dict[str, int]], bool]
    """Whether these registers of a note are those of a program."""
    monitor_pointer: str
    """The name of that register in QEMU's monitor."""
    stopped: Callable[[dict[str, int]], bool]
    """Whether a CPU with these registers waits with interrupts masked."""
    small_region_mib: int
    """A crash region that has no room for the kernel."""
    kernels_own_checks: bool
    """Whether the kernel's own kexec checks digests before it enters a capture kernel."""
    nmi_option: str
    """Without this option there is no interrupt for CPUs that have interrupts disabled."""
    timer_interrupt: str
    """A function on the stack of a CPU whose timer has interrupted a program."""

    @property
    def prstatus(self) -> struct.Struct:
        """The part of struct elf_prstatus from pr_pid to the last register."""
        return struct.Struct(f"<i76x{len(self.registers)}Q")


PLATFORMS = {
    "x86_64": Platform(
        qemu="qemu-system-x86_64",
        machine=("q35",),
        cpu=X86_CPU,
        firmware="/usr/share/ovmf/OVMF.fd",
        console="ttyS0",
        early_console="earlyprintk=serial,ttyS0,115200",
        late_clocks="no_timer_check tsc=nowatchdog",
        middle_region="crashkernel=256M@512M",
        kept_free=("memmap=256M$1G", range(1 << 30, (1 << 30) + (256 << 20))),
        page=4 << 10,
        first_ram=0,
        verification_region="crashkernel=320M@256M",
        not_in_dump=range(1 << 20),
        other_paging=f"{X86_CPU},la57=off",
        handover="boot_params",
        image="bzImage",
        plugs_memory_by_firmware=False,
        # The kernel (6.12.117) counts CPUs that may come only under a hypervisor that it knows. A
        # guest that TCG executes can be told that this is VMware.
        plugs_cpus=("-smbios", "type=1,serial=VMware-0"),
        prstatus_size=336,
        registers=tuple(
            "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags "
            "rsp ss fs_base gs_base ds es fs gs".split()
        ),
        instruction_pointer="rip",
        user_mode=lambda registers: registers["cs"] & 3 == 3,
        monitor_pointer="RIP",
        # HLT, and RFLAGS.IF clear.
        stopped=lambda cpu: bool(cpu["HLT"]) and not cpu["RFL"] & 1 << 9,
        small_region_mib=12,
        kernels_own_checks=True,
        nmi_option="",
        timer_interrupt="asm_sysvec_apic_timer_interrupt",
    ),
    "arm64": Platform(
        qemu="qemu-system-aarch64",
        machine=("virt", "gic-version=3"),
        # The architecture's own algorithm for pointer authentication would take most of the time of
        # TCG (seen with QEMU 7.2).
        cpu="max,pauth-impdef=on",
        firmware="/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
        console="ttyAMA0",
        early_console="earlycon=pl011,0x9000000",
        late_clocks="",
        middle_region="crashkernel=256M@1536M",
        # RAM starts at 1 GiB.
        kept_free=("mem=1792M", range(2816 << 20, 3 << 30)),
        page=next((kib << 10 for kib in (16, 64) if paths.TARGET.endswith(f"{kib}k")), 4 << 10),
        first_ram=1 << 30,
        verification_region="crashkernel=320M@1344M",
        not_in_dump=range(0),
        # Most CPUs without VHE have no pages of 16 KiB.
        other_paging="cortex-a35" if paths.TARGET.endswith("16k") else "cortex-a72",
        handover="device tree",
        image="Image",
        plugs_memory_by_firmware=True,
        plugs_cpus=(),
        prstatus_size=392,
        registers=(*(f"x{number}" for number in range(31)), "sp", "pc", "pstate"),
        instruction_pointer="pc",
        # PSTATE.M: exception level 0.
        user_mode=lambda registers: registers["pstate"] & 0xC == 0,
        monitor_pointer="PC",
        # PSTATE.DAIF all set; the monitor does not tell whether a CPU waits.
        stopped=lambda cpu: cpu["PSTATE"] & 0x3C0 == 0x3C0,
        small_region_mib=8,
        kernels_own_checks=False,
        nmi_option="irqchip.gicv3_pseudo_nmi=1",
        timer_interrupt="el0_interrupt",
    ),
}

PLATFORM = PLATFORMS[paths.ARCH]
