# SPDX-License-Identifier: GPL-2.0
"""The crash path by the number of CPUs: its instructions from the hook to the jump, and the time.

The instructions are those of the CPU that crashes, from its entry into __crash_kexec(), which the
hook takes over, to the last one before the purgatory. QEMU counts them: the guest's clock counts
instructions (-icount), its CPUs take turns, each translation is one instruction, and QEMU tells
each. The wait for the other CPUs is what that CPU executes from its first call of the kernel's
delay loop to its last return from it. What is left must grow by the same number with each other
CPU, and the table has how much it grew since the row before, for each CPU that is new.

The time is that of an ordinary crash, by the crash report, and the host's: more CPUs than the host
has take turns on those.
"""

import argparse
import asyncio
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from harness import paths
from harness.crash.run import crashed
from harness.crash.scenario import Scenario
from harness.dump.dump import Dump
from harness.dump.notes import Report
from harness.guest.boot import boot
from harness.guest.guest import PATIENCE, Guest
from harness.guest.loading import rkexec
from harness.guest.symbols import symbols
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.machine.trace import Trace
from harness.units import MIB

CPUS = (1, 4, 16, 64)

# Where kernels and their modules are.
KERNEL_SPACE = range(0xFFFF << 48, 1 << 64)

# The disk has a queue for each CPU otherwise, and each queue an interrupt that is to be silenced.
ONE_QUEUE = ("-global", "virtio-blk-pci.num-queues=1")

HOOKED = "__crash_kexec"
# The functions of the kernel's delay loop, on either architecture.
DELAYS = {"__const_udelay", "__udelay", "__delay", "delay_tsc", "delay_halt", "delay_loop"}


@dataclass(frozen=True)
class Symbols:
    """The functions of a running kernel."""

    addresses: list[int]
    names: list[str]

    @classmethod
    async def of(cls, guest: Guest) -> Self:
        """Those of this guest."""
        # Without KASLR the kernel is at its linked addresses.
        modules = await guest.shell("grep -F '[rust_kexec]' /proc/kallsyms")
        lines = [*symbols(), *modules.splitlines()]
        found = sorted(
            (int(address, 16), name)
            for address, kind, name in (line.split()[:3] for line in lines)
            if kind in "tTwW"
        )
        return cls([address for address, _ in found], [name for _, name in found])

    def at(self, address: int) -> str:
        """The function that has this address."""
        return self.names[bisect_right(self.addresses, address) - 1]

    def address(self, name: str) -> int:
        """The address of a function."""
        return self.addresses[self.names.index(name)]


@dataclass(frozen=True)
class Way:
    """The way of the CPU that crashes."""

    functions: Counter[str]
    """Instructions outside the wait, by function."""
    waited: int
    """Instructions of the wait."""

    @property
    def instructions(self) -> int:
        """All outside the wait."""
        return self.functions.total()


def way(addresses: "array[int]", symbols: Symbols) -> Way:
    """The way among the addresses of all that a CPU executed."""
    hooked = symbols.address(HOOKED)
    start = max(index for index, address in enumerate(addresses) if address == hooked)
    functions = [symbols.at(address) for address in addresses[start:]]
    delays = [index for index, function in enumerate(functions) if function in DELAYS]
    wait = range(delays[0], delays[-1] + 1) if delays else range(0)
    outside = [*functions[: wait.start], *functions[wait.stop :]]
    return Way(Counter(outside), len(wait))


async def counted(cpus: int) -> Way:
    """A crash of which QEMU tells every instruction."""
    directory = paths.results("bench-hook", paths.RUN, f"counted-{cpus}")
    _, _, place = PLATFORM.middle_region.partition("@")
    region = range(int(place.removesuffix("M")) * MIB, (int(place.removesuffix("M")) + 256) * MIB)
    trace = Trace(directory, (KERNEL_SPACE, region))
    hardware = Hardware(
        cpus=cpus, memory_mib=2048, counting=True, arguments=(*trace.arguments, *ONE_QUEUE)
    )
    command_line = f"nokaslr {PLATFORM.middle_region}"
    async with boot(directory, hardware, command_line) as guest:
        # As slow as the boot, for the same reason.
        (await guest.run(*rkexec(), timeout_s=PATIENCE * cpus)).check()
        assert (await guest.status()).region == region
        symbols = await Symbols.of(guest)
        executed: dict[int, array[int]] = defaultdict(lambda: array("Q"))

        async def follow() -> int:
            """The CPU that comes to the purgatory."""
            async with aclosing(trace.executed()) as told:
                async for cpu, address in told:
                    if address in region:
                        return cpu
                    executed[cpu].append(address)
            raise EOFError("QEMU stopped to tell what it executes")

        await trace.start(guest.machine)
        following = asyncio.ensure_future(follow())
        await guest.crash()
        cpu = await guest.machine.until(following, "the purgatory", PATIENCE * cpus)
    return way(executed[cpu], symbols)


async def timed(cpus: int) -> Report:
    """The report of an ordinary crash."""
    scenario = Scenario(
        name=f"{cpus}-cpus",
        hardware=Hardware(cpus=cpus, memory_mib=2048),
        command_line=f"nokaslr {PLATFORM.middle_region}",
    )
    async with crashed(scenario, paths.results("bench-hook", paths.RUN, f"timed-{cpus}")) as guest:
        # The notes are at its start.
        with Dump(await guest.save_vmcore(limit=MIB)) as dump:
            dump.path.unlink()
            return dump.report


def row(cpus: int, found: Way, report: Report, before: tuple[int, Way] | None) -> str:
    """A line of the table."""
    each = "-"
    if before is not None:
        fewer, way_before = before
        each = f"{(found.instructions - way_before.instructions) / (cpus - fewer):.1f}"
    time = 1000 * report.seconds(report.noticed, report.left)
    stopping = 1000 * report.seconds(report.noticed, report.stopped)
    said = f"; not stopped: {len(report.not_stopped)}" * bool(report.not_stopped)
    return (
        f"{cpus:>5} {found.instructions:>13} {each:>21} {found.waited:>10} "
        f"{time:>8.2f} ms, {stopping:.2f} ms of it until the others have stopped{said}"
    )


def growth(ways: dict[int, Way]) -> str:
    """The functions whose instructions hang on the number of CPUs."""
    lines = []
    for function in sorted({name for found in ways.values() for name in found.functions}):
        counts = [found.functions[function] for found in ways.values()]
        if len(set(counts)) > 1:
            lines.append(f"  {'/'.join(map(str, counts)):>28}  {function}\n")
    return "".join(lines)


async def bench(numbers: list[int], functions: bool) -> None:
    """Prints the table."""
    print("Hook to jump, the CPU that crashes, outside its wait for the others:")
    print(f"{'CPUs':>5} {'instructions':>13} {'for each further CPU':>21} {'waited':>10} time")
    ways: dict[int, Way] = {}
    before: tuple[int, Way] | None = None
    for cpus in numbers:
        ways[cpus] = await counted(cpus)
        print(row(cpus, ways[cpus], await timed(cpus), before), flush=True)
        before = cpus, ways[cpus]
    if functions:
        print(f"\nInstructions of functions that hang on the number of CPUs:\n{growth(ways)}")
        for name, count in ways[numbers[-1]].functions.most_common():
            print(f"  {count:>10}  {name}")


def main() -> None:
    """Prints what it counts."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpus", type=int, nargs="+", default=CPUS, help="guests with so many")
    parser.add_argument("--functions", action="store_true", help="by function as well")
    asked = parser.parse_args()
    asyncio.run(bench(asked.cpus, asked.functions))


if __name__ == "__main__":
    main()
