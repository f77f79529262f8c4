# SPDX-License-Identifier: GPL-2.0
"""What a scenario does before the load, and between the load and the crash."""

from dataclasses import replace

from harness import paths
from harness.crash.scenario import Facts, iomem
from harness.guest.guest import PATIENCE, Guest
from harness.machine.machine import MIB
from harness.machine.platform import PLATFORM

GIB4 = 4 << 30
PAGES = 64
# A block of memory, of which a DIMM must have whole ones, with pages of 64 KiB.
DIMM_MIB = 512


async def spin_on_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """A process spins on the last CPU with known values in its callee-saved registers."""
    await spin(guest, facts, facts.hello.cpus_online - 1)


async def one_busy_in_user_space_one_in_the_kernel(guest: Guest, facts: Facts) -> None:
    """The last CPU but one spins as above, the last one clears memory in a system call."""
    last = guest.hello.cpus_online - 1
    await spin(guest, facts, last - 1)
    await guest.shell(
        f"taskset {1 << last:x} dd if=/dev/zero of=/dev/null bs=64M >/dev/null 2>&1 &"
    )


async def spin(guest: Guest, facts: Facts, cpu: int) -> None:
    """A process spins on this CPU, which is not the first one."""
    # The CPU that panics must be another one.
    await guest.shell("taskset -p 1 $(pidof agent)")
    seed = facts.random.getrandbits(32)
    facts.spinner = await guest.spawn("spin", "--cpu", str(cpu), "--seed", str(seed))


# Neither the agent nor the CPU that panics must be on the CPU that nothing reaches any more, nor what
# they wait for: devices' interrupts, and kernel threads. The program that ran there last has memory
# of its own, so that nobody waits for that CPU to forget the agent's.
LEAVE_TO_THE_FIRST_CPU = """
for task in /proc/[0-9]*; do taskset -p 1 ${task#/proc/} >/dev/null 2>&1 || :; done
for affinity in /proc/irq/[0-9]*/smp_affinity; do echo 1 2>/dev/null > $affinity || :; done
taskset %s true
"""


async def disable_interrupts_on_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """The last CPU spins in the kernel with interrupts disabled, which an NMI passes."""
    last = guest.hello.cpus_online - 1
    await guest.shell(f"insmod {paths.GUEST_IRQS_OFF}")
    await guest.shell(LEAVE_TO_THE_FIRST_CPU % f"{1 << last:x}")
    await guest.shell(f"echo {last} | taskset 1 tee /sys/module/irqs_off/parameters/cpu")
    if PLATFORM.nmi_option not in guest.machine.command_line:
        facts.not_stopped = {last}


async def take_the_last_cpu_offline(guest: Guest, facts: Facts) -> None:
    """The kernel parks the last CPU that it has started."""
    last = facts.hello.cpus_online - 1
    await guest.shell(f"echo 0 > /sys/devices/system/cpu/cpu{last}/online")
    facts.hello = replace(facts.hello, cpus_online=last)


async def look_at_stopped_cpus(guest: Guest, facts: Facts) -> None:
    """What QEMU knows of the CPUs that the capture kernel does not run on."""
    facts.stopped_at = [
        cpu[PLATFORM.monitor_pointer]
        for cpu in await guest.machine.registers()
        if PLATFORM.stopped(cpu)
    ]


# What firmware says of the machine, as a kernel shows it that has found it: ACPI's tables, UEFI's
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
    """What the production kernel knows of its firmware."""
    facts.firmware = await guest.shell(SAID_BY_FIRMWARE)


async def look_at_captured_firmware(guest: Guest, facts: Facts) -> None:
    """What the capture kernel knows of its firmware."""
    facts.captured_firmware = await guest.shell(SAID_BY_FIRMWARE)


async def look_at_cpu_flags(guest: Guest, facts: Facts) -> None:
    """What the running kernel uses of its first CPU."""
    lines = (await guest.read("/proc/cpuinfo")).splitlines()
    flags = next(line for line in lines if line.startswith("flags"))
    facts.captured_cpu_flags = set(flags.partition(":")[2].split())


async def fill_pages(guest: Guest, facts: Facts) -> None:
    """A process fills pages below and above the crash region, and above 4 GiB where there are."""
    region = facts.status.region
    seed = facts.random.getrandbits(32)
    arguments = ["--below", hex(region.start), "--above", hex(region.stop), "--pages", str(PAGES)]
    if any(ram.stop > GIB4 for ram in facts.system_ram):
        arguments += ["--high", hex(GIB4)]
    facts.pattern = await guest.spawn("pattern", "--seed", str(seed), *arguments)
    facts.pattern["seed"] = seed
    facts.pattern["classes"] = {name.removeprefix("--") for name in arguments[::2]} - {"pages"}


# Files in which the kernel tells about itself, and what somebody may put in their place: other
# addresses, for registers too, and what is neither boot parameters nor a device tree.
FORGE = """
sed -E 's/[0-9a-f]+-[0-9a-f]+ : Kernel /01000000-010fffff : Kernel /' /proc/iomem > /tmp/iomem
mount --bind /tmp/iomem /proc/iomem
echo 9f000 > /tmp/crash_notes
for file in /sys/devices/system/cpu/cpu[0-9]*/crash_notes; do
    mount --bind /tmp/crash_notes $file
done
for file in /sys/kernel/boot_params/data /sys/firmware/fdt; do
    [ ! -e $file ] || mount --bind /proc/version $file
done
"""
# struct screen_info behind ext_mem_k, which is about memory and which the kernel clears.
SCREEN = "xxd -p -s 4 -l 60 /sys/kernel/boot_params/data || :"


async def have_vmlinux_loaded(guest: Guest) -> None:
    """What is loaded is the ELF file that is compressed into the kernel."""
    await guest.send(paths.GUEST_KERNEL, paths.CAPTURE_VMLINUX.read_bytes())


async def load_without_file_systems(guest: Guest) -> None:
    """Loads while nothing is mounted on /proc and /sys."""
    await guest.shell("umount -l /sys; umount -l /proc; [ ! -e /proc/iomem -a ! -e /sys/kernel ]")
    await guest.load()
    (await guest.rkexec("--unload")).check()
    await guest.shell("mount -t proc proc /proc; mount -t sysfs sysfs /sys")


async def forge_the_kernels_files(guest: Guest) -> None:
    """Mounts other files over those in which the kernel tells about itself."""
    await guest.shell(FORGE)


async def uncover_the_kernels_files(guest: Guest, facts: Facts) -> None:
    """Takes these files away again."""
    await guest.shell("umount $(awk '/iomem|crash_notes|boot_params|fdt/{print $2}' /proc/mounts)")
    facts.screen = await guest.shell(SCREEN)


async def same_screen(guest: Guest, facts: Facts) -> None:
    """The capture kernel was told of the same screen as the production kernel (x86_64)."""
    assert await guest.shell(SCREEN) == facts.screen


async def plug_memory(guest: Guest, name: str) -> None:
    """A DIMM comes, and the kernel uses it."""
    before = await memory_blocks(guest)
    await guest.machine.plug_memory(name, DIMM_MIB)
    await blocks_online(guest, before + await dimm_blocks(guest))


async def plug_and_pull_memory(guest: Guest, facts: Facts) -> None:
    """Two DIMMs come and the second one goes; a process fills pages of the one that stays."""
    for name in ("first", "second"):
        await plug_memory(guest, name)
    added = await system_ram(guest) - set(facts.system_ram)
    blocks = await memory_blocks(guest)
    await guest.machine.until(
        guest.machine.pull_memory("second"), "the guest to let go of a DIMM", PATIENCE
    )
    await blocks_online(guest, blocks - await dimm_blocks(guest))
    left = await system_ram(guest)
    facts.pulled = list(added - left)
    facts.system_ram = sorted(left, key=lambda ram: ram.start)
    [stays] = added & left
    seed = facts.random.getrandbits(32)
    facts.pattern = await guest.spawn(
        *("pattern", "--seed", str(seed), "--high", hex(stays.start), "--pages", str(PAGES))
    )
    facts.pattern |= {"seed": seed, "classes": {"high"}}


async def memory_blocks(guest: Guest) -> int:
    """How many blocks of memory the kernel has."""
    return len((await guest.shell("ls -d /sys/devices/system/memory/memory*")).split())


async def dimm_blocks(guest: Guest) -> int:
    """How many of them a DIMM is."""
    size = await guest.read("/sys/devices/system/memory/block_size_bytes")
    return DIMM_MIB * MIB // int(size, 16)


async def blocks_online(guest: Guest, count: int) -> None:
    """Waits until the kernel has this many blocks, all of them online."""

    async def wait() -> None:
        states = "cat /sys/devices/system/memory/memory*/state"
        # While one goes, its file may have gone first.
        while (await guest.run("sh", "-c", states)).stdout.split() != ["online"] * count:
            pass

    await guest.machine.until(wait(), f"{count} blocks of memory", PATIENCE)


async def system_ram(guest: Guest) -> set[range]:
    """The pieces of memory that the kernel has."""
    return set(iomem(await guest.read("/proc/iomem"), "System RAM"))


async def plug_a_cpu(guest: Guest, facts: Facts) -> None:
    """A CPU comes, and is the last one."""
    last = facts.hello.cpus_online
    online = f"/sys/devices/system/cpu/cpu{last}/online"
    await guest.machine.plug_cpu()
    await guest.shell(f"until [ -e {online} ]; do :; done; echo 1 > {online}")
    facts.hello = replace(facts.hello, cpus_online=last + 1)


async def restart_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """The last CPU goes and comes again."""
    online = f"/sys/devices/system/cpu/cpu{facts.hello.cpus_online - 1}/online"
    await guest.shell(f"echo 0 > {online}; echo 1 > {online}")
