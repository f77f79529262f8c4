# SPDX-License-Identifier: GPL-2.0
"""Steps that keep CPUs busy, or make them come and go."""

from collections.abc import Iterable
from dataclasses import replace

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import PATIENCE, Guest
from harness.machine.platform import PLATFORM


async def spin_on_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """A process spins on the last CPU with known values in its callee-saved registers."""
    await spin(guest, facts, facts.hello.cpus_online - 1)


async def one_busy_in_user_space_one_in_the_kernel(guest: Guest, facts: Facts) -> None:
    """The last CPU but one spins as above, the last one clears memory in a system call."""
    last = guest.hello.cpus_online - 1
    await spin(guest, facts, last - 1)
    await guest.shell(CLEAR_MEMORY.format(mask=f"{1 << last:x}"), timeout_s=PATIENCE)


# Returns once half of the 64 MiB was cleared for the first time: from then on the program does not
# wait for anything, nor is it still on its way to the CPU.
CLEAR_MEMORY = """
taskset {mask} dd if=/dev/zero of=/dev/null bs=64M </dev/null >/dev/null 2>&1 &
until [ "${{cleared:-0}}" -ge 32768 ]; do
    cleared=$(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\) kB$/\\1/p' /proc/$!/status)
done
"""


async def spin(guest: Guest, facts: Facts, cpu: int) -> None:
    """A process spins on this CPU, which is not the first one."""
    # The CPU that panics must be another one.
    await guest.shell(AGENT_TO_THE_FIRST_CPU)
    seed = facts.random.getrandbits(32)
    facts.spinner = await guest.spawn("spin", "--cpu", str(cpu), "--seed", str(seed))


# What the agent starts from then on, threads and programs, stays there with it.
AGENT_TO_THE_FIRST_CPU = "taskset -p 1 $(pidof agent)"

IRQS_OFF = "/sys/module/irqs_off/parameters/cpu"

# A CPU that nothing reaches any more must not be the one that panics. Nor may it have the agent, or
# what the agent and the panic wait for: devices' interrupts, and kernel threads. The last program
# there has memory of its own, so that nobody waits for that CPU to forget the agent's: no thread of
# the agent may follow it, not even one that ends. And once CPUs are deaf the agent must not start
# any program or thread: what is left of one is unmapped, and from 6.14 on a CPU that has left the
# agent's memory is asked about that once a second.
LEAVE_TO_THE_CPU = """
for task in /proc/[0-9]*/task/*; do taskset -p {cpu} ${{task##*/}} >/dev/null 2>&1 || :; done
for affinity in /proc/irq/[0-9]*/smp_affinity; do echo {cpu} 2>/dev/null > $affinity || :; done
"""


async def leave_to_the_first_cpu(guest: Guest, others: Iterable[int]) -> None:
    """The first CPU has all that runs, so that the others can become deaf."""
    await leave_to_cpu(guest, 0, others)


async def leave_to_cpu(guest: Guest, cpu: int, others: Iterable[int]) -> None:
    """This CPU has all that runs, so that the others can become deaf."""
    last = "\n".join(f"taskset {1 << other:x} true" for other in others)
    # First, by itself: the threads that carry this command's output are as free as the agent was.
    await guest.shell(f"taskset -p {1 << cpu:x} $(pidof agent)")
    leave = LEAVE_TO_THE_CPU.format(cpu=f"{1 << cpu:x}")
    await guest.shell(f"{leave}\n{last}", timeout_s=PATIENCE)


async def disable_interrupts_on_the_last_cpu(guest: Guest, facts: Facts) -> None:
    """The last CPU spins in the kernel with interrupts disabled, which an NMI passes."""
    last = guest.hello.cpus_online - 1
    await guest.shell(f"insmod {paths.GUEST_IRQS_OFF}")
    await leave_to_the_first_cpu(guest, [last])
    await guest.write(IRQS_OFF, str(last))
    if PLATFORM.nmi_option not in guest.machine.command_line:
        facts.not_stopped = {last}


async def disable_interrupts_on_all_but_the_first(guest: Guest, facts: Facts) -> None:
    """All other CPUs spin in the kernel with interrupts disabled, which an NMI passes."""
    others = range(1, guest.hello.cpus_online)
    await guest.shell(f"insmod {paths.GUEST_IRQS_OFF}")
    await leave_to_the_first_cpu(guest, others)
    await guest.write(IRQS_OFF, f"{others.start}-{others.stop - 1}")


async def crash_by_nmi_with_interrupts_disabled(guest: Guest) -> None:
    """The first CPU spins as well, so that no interrupt reaches any, and then the machine's NMI."""
    text = int(await guest.read("/sys/module/irqs_off/sections/.text"), 16)
    [file] = [path for path in paths.MODULES if path.stem == "irqs_off"]
    with open(file, "rb") as opened:
        symbols = ELFFile(opened).get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        [spin] = symbols.get_symbol_by_name("spin") or []
    start = text + spin["st_value"]
    end = start + spin["st_size"]

    async def first_spins() -> None:
        first = 0
        while not start < first < end:
            first = (await guest.machine.registers())[0][PLATFORM.monitor_pointer]

    await guest.crash_by_writing(IRQS_OFF, "0")
    await guest.machine.until(first_spins(), "the first CPU to spin", PATIENCE)
    await guest.machine.execute("inject-nmi")


async def take_the_last_cpu_offline(guest: Guest, facts: Facts) -> None:
    """The kernel parks the last CPU that it has started."""
    last = facts.hello.cpus_online - 1
    await guest.shell(f"echo 0 > /sys/devices/system/cpu/cpu{last}/online")
    facts.hello = replace(facts.hello, cpus_online=last)


async def look_at_stopped_cpus(guest: Guest, facts: Facts) -> None:
    """Notes where the CPUs wait that the capture kernel does not run on."""
    facts.stopped_at = [
        cpu[PLATFORM.monitor_pointer]
        for cpu in await guest.machine.registers()
        if PLATFORM.stopped(cpu)
    ]


async def look_at_cpu_flags(guest: Guest, facts: Facts) -> None:
    """Notes the features that the running kernel uses of its first CPU."""
    lines = (await guest.read("/proc/cpuinfo")).splitlines()
    flags = next(line for line in lines if line.startswith("flags"))
    facts.captured_cpu_flags = set(flags.partition(":")[2].split())


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
