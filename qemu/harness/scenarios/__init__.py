# SPDX-License-Identifier: GPL-2.0
"""The crashes that end in a good dump."""

from harness import checks, paths, steps
from harness.crash.scenario import Panic, Scenario
from harness.guest.guest import CAPTURE, CONSOLE, Guest
from harness.machine.machine import Hardware
from harness.machine.platform import PLATFORM

DEMO = Scenario(name="demo", hardware=Hardware(cpus=4, memory_mib=2048))

# A region with memory on both sides is one whose place is asked for, and that place must not be
# where KASLR puts the kernel.
REGION_AMID_MEMORY = f"nokaslr {PLATFORM.middle_region}"

# Memory that is plugged in is used at once, for what can be moved away again.
USE_PLUGGED_MEMORY = "memhp_default_state=online_movable"

# Hardware that only arm64 machines have. Dimensions are combined, because each boot costs time.
ARM64 = (
    # With -cpu max the kernel stays at EL2 (VHE); the other CPU has no VHE, so it goes to EL1.
    Scenario(
        name="gicv2-vhe",
        hardware=Hardware(options=("gic-version=2", "virtualization=on")),
        checks=(checks.at_exception_level(2),),
    ),
    Scenario(
        name="gicv3-nvhe",
        hardware=Hardware(cpu=PLATFORM.other_paging, options=("virtualization=on",)),
        checks=(checks.at_exception_level(1),),
    ),
    # On x86_64 there are always NMIs.
    Scenario(
        name="interrupts-off-pseudo-nmi",
        hardware=Hardware(cpus=3),
        command_line=f"crashkernel=256M {PLATFORM.nmi_option}",
        before=(steps.disable_interrupts_on_the_last_cpu,),
        checks=(checks.interrupts_disabled,),
    ),
    Scenario(
        name="uefi-acpi",
        hardware=Hardware(cpus=4, firmware=True),
        checks=(checks.described_by_acpi,),
    ),
    # QEMU's virt has no CPUs that could be plugged in.
    Scenario(
        name="hotplug",
        hardware=Hardware(firmware=True, hotplug=True),
        command_line=f"crashkernel=256M {USE_PLUGGED_MEMORY}",
        before=(
            steps.plug_and_pull_memory,
            steps.restart_the_last_cpu,
            steps.spin_on_the_last_cpu,
        ),
        checks=(
            checks.pattern_pages,
            checks.pulled_memory_left_out,
            checks.spinning_registers,
        ),
    ),
    # A CPU that firmware cannot switch off waits in the crashed kernel. The capture kernel, which
    # may use all CPUs here, goes on without it.
    Scenario(
        name="spin-table",
        hardware=Hardware(memory_mib=2048, cpu=PLATFORM.other_paging, spin_table=True),
        command_line=REGION_AMID_MEMORY,
        capture_command_line=f"{CONSOLE} {PLATFORM.early_console}",
        before=(steps.spin_on_the_last_cpu, steps.fill_pages),
        captured=(steps.look_at_stopped_cpus,),
        checks=(checks.spinning_registers, checks.pattern_pages, checks.parked),
    ),
)

# Hardware, and memory maps, that only x86_64 machines have.
X86_64 = (
    # Under UEFI nothing but the boot parameters leads to ACPI's tables.
    Scenario(
        name="uefi-acpi",
        hardware=Hardware(cpus=4, firmware=True),
        before=(steps.look_at_firmware,),
        captured=(steps.look_at_captured_firmware,),
        checks=(checks.handed_over_by_firmware,),
    ),
    # A capture kernel that pages in another way than the one that crashed changes the mode itself.
    Scenario(
        name="four-levels-captured-by-five",
        hardware=Hardware(cpus=1),
        command_line="no5lvl crashkernel=256M",
        captured=(steps.look_at_cpu_flags,),
        checks=(checks.paged_with(crashed=4, captured=5),),
    ),
    Scenario(
        name="five-levels-captured-by-four",
        hardware=Hardware(cpus=1),
        capture_command_line=f"{CAPTURE} no5lvl",
        captured=(steps.look_at_cpu_flags,),
        checks=(checks.paged_with(crashed=5, captured=4),),
    ),
    # A vmlinux does neither, nor does it tell with which it can be entered.
    Scenario(
        name="five-levels-captured-by-vmlinux",
        hardware=Hardware(cpus=1),
        prepare=(steps.have_vmlinux_loaded,),
        captured=(steps.look_at_cpu_flags,),
        checks=(checks.paged_with(crashed=5, captured=4),),
    ),
    # Firmware has a page for itself in each of many places.
    Scenario(
        name="many-pieces",
        hardware=Hardware(memory_mib=2048),
        command_line=f"{REGION_AMID_MEMORY} memmap="
        + ",".join(f"4K${address}M" for address in range(300, 380)),
        before=(steps.fill_pages,),
        checks=(checks.many_pieces, checks.pattern_pages),
    ),
    # Without its local APIC the capture kernel depends on the interrupts and the timer of a PC.
    Scenario(name="captured-without-local-apic", capture_command_line=f"{CAPTURE} nolapic"),
    # All CPUs get the NMI, and all but one wait for that one in it, where no other NMI reaches them.
    Scenario(
        name="nmi-on-every-cpu",
        hardware=Hardware(cpus=3),
        command_line="crashkernel=256M unknown_nmi_panic apic_extnmi=all",
        panic=Panic(Guest.crash_by_nmi, "NMI: Not continuing", "nmi_panic"),
    ),
    Scenario(
        name="hotplug",
        hardware=Hardware(hotplug=True, cpu=f"{PLATFORM.cpu},hypervisor=off"),
        command_line=f"crashkernel=256M {USE_PLUGGED_MEMORY}",
        before=(
            steps.plug_and_pull_memory,
            steps.restart_the_last_cpu,
            steps.plug_a_cpu,
            steps.spin_on_the_last_cpu,
        ),
        checks=(
            checks.pattern_pages,
            checks.pulled_memory_left_out,
            checks.spinning_registers,
        ),
    ),
)

DUMPS = (
    DEMO,
    Scenario(
        name="registers",
        before=(steps.spin_on_the_last_cpu,),
        checks=(checks.spinning_registers,),
    ),
    Scenario(
        name="memory-2g",
        hardware=Hardware(memory_mib=2048),
        command_line=REGION_AMID_MEMORY,
        before=(steps.fill_pages,),
        checks=(checks.pattern_pages,),
    ),
    Scenario(
        name="memory-6g",
        hardware=Hardware(memory_mib=6144),
        command_line=REGION_AMID_MEMORY,
        before=(steps.fill_pages,),
        checks=(checks.pattern_pages,),
    ),
    # The demo has KASLR and, with -cpu max, 5-level paging.
    Scenario(
        name="one-cpu-nokaslr-4-level",
        hardware=Hardware(cpus=1, cpu=PLATFORM.other_paging),
        command_line="nokaslr crashkernel=256M",
    ),
    Scenario(
        name="two-cpus-nokaslr-5-level",
        hardware=Hardware(cpus=2),
        command_line="nokaslr crashkernel=256M",
    ),
    Scenario(
        name="eight-cpus-kaslr-4-level",
        hardware=Hardware(cpus=8, cpu=PLATFORM.other_paging),
        # The capture kernel starts the CPUs that were stopped.
        capture_command_line="console=ttyS0",
    ),
    Scenario(
        name="interrupts-off",
        hardware=Hardware(cpus=3),
        before=(steps.disable_interrupts_on_the_last_cpu,),
        checks=(checks.interrupts_disabled,),
    ),
    Scenario(
        name="forged-files",
        prepare=(steps.load_without_file_systems, steps.forge_the_kernels_files),
        before=(steps.uncover_the_kernels_files,),
        captured=(steps.same_screen,),
    ),
    # One CPU is never started, one is taken offline.
    Scenario(
        name="some-cpus-off",
        hardware=Hardware(cpus=4),
        command_line="crashkernel=256M maxcpus=3",
        before=(steps.take_the_last_cpu_offline,),
    ),
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
    *{"arm64": ARM64, "x86_64": X86_64}[paths.ARCH],
)
