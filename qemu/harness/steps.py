# SPDX-License-Identifier: GPL-2.0
"""What a scenario does between the load and the crash."""

from harness import paths
from harness.guest import Guest
from harness.platform import PLATFORM
from harness.scenario import Facts

GIB4 = 4 << 30
PAGES = 64


async def spin_on_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """A process spins on the last CPU with known values in its callee-saved registers."""
    await spin(guest, facts, guest.hello.cpus_online - 1)


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


async def disable_interrupts_on_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """The last CPU spins in the kernel with interrupts disabled, which an NMI passes."""
    # Neither the agent nor the CPU that panics must be there.
    await guest.shell("taskset -p 1 $(pidof agent)")
    last = guest.hello.cpus_online - 1
    await guest.shell(f"insmod {paths.GUEST_IRQS_OFF}")
    await guest.shell(f"echo {last} | taskset 1 tee /sys/module/irqs_off/parameters/cpu")
    if PLATFORM.nmi_option not in guest.machine.command_line:
        facts.not_stopped = {last}


async def look_at_stopped_cpus(guest: Guest, facts: Facts) -> None:
    """What QEMU knows of the CPUs that the capture kernel does not run on."""
    facts.stopped_at = [
        cpu[PLATFORM.monitor_pointer]
        for cpu in await guest.machine.registers()
        if PLATFORM.stopped(cpu)
    ]


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
