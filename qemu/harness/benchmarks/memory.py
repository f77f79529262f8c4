# SPDX-License-Identifier: GPL-2.0
"""How little memory a capture kernel can save a dump in: ours, and the kernel's own.

The same guest, kernel and command line, and a crash region that gets smaller until a crash leaves
no dump that can be opened. Each program has an initrd of its own, with nothing that only others
need. One kind is the guests' own, with the module for both. The other is as small as it can be, and
has the module for ours only, since the kernel's own /proc/vmcore needs none. Each stack's capture
kernel serves the file of that stack.
"""

import argparse
import asyncio
from dataclasses import dataclass
from functools import cache

from harness import paths
from harness.benchmarks import initrds
from harness.benchmarks.initrds import has_makedumpfile, makedumpfile
from harness.benchmarks.measurement import KERNELS_OWN, RUST_KEXEC
from harness.benchmarks.saving import TOOLS_THAT_SAVE, Tool, is_wrong
from harness.guest.agent import AgentError
from harness.guest.boot import boot
from harness.guest.guest import PATIENCE, Guest
from harness.guest.loading import CAPTURE
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS
from harness.machine.errors import GuestError
from harness.machine.hardware import Hardware
from harness.units import MIB

SIZE = "/sys/kernel/kexec_crash_size"

# The largest region that is tried, and where the search begins.
MOST_MIB = 256
FIRST_MIB = 96

HARDWARE = Hardware(memory_mib=1024)

# How often a guest is booted that does not come to its crash, on a host that is busy.
ATTEMPTS = 3

PANIC = "Kernel panic - not syncing: "


@dataclass(frozen=True)
class Stack:
    """What loads an image, and serves the dump."""

    name: str
    file: str

    async def load(self, guest: Guest, command_line: str) -> None:
        """Loads the capture kernel."""
        if self.name == KERNELS_OWN:
            await guest.load_by_the_kernels_own(command_line)
        else:
            await guest.load(command_line)


STACKS = (Stack(RUST_KEXEC, OURS), Stack(KERNELS_OWN, THEIRS))

SMALL = "small"
GUESTS = "the guests'"
INITRDS = {"small": SMALL, "guests": GUESTS}


@dataclass(frozen=True)
class Combination:
    """What is measured."""

    initrd: str
    tool: Tool
    stack: Stack

    @property
    def script(self) -> str:
        """The command that saves the dump."""
        return self.tool.script.format(file=self.stack.file)

    @property
    def command_line(self) -> str:
        """The capture kernel's: without a limit for the initrd's files, where it is to be small."""
        return f"{CAPTURE} root=none" if self.initrd == SMALL else CAPTURE

    @property
    def name(self) -> str:
        """For a directory."""
        return f"{self.stack.name} {self.initrd} {self.tool.name}".replace(" ", "-")

    def __str__(self) -> str:
        return f"{self.stack.name}, {self.initrd} initrd, {self.tool.name}"


@cache
def initrd_of(combination: Combination) -> bytes:
    """The capture kernel's initrd."""
    files = combination.tool.files()
    if combination.initrd == GUESTS:
        return initrds.of_the_guests(files)
    ours = combination.stack.name == RUST_KEXEC
    return initrds.small(files, module=ours, script=combination.script)


def last_words(guest: Guest) -> str:
    """What the capture kernel has panicked of, or what was said last that is not the kernel's."""
    said = [line.text for line in guest.machine.console.lines[guest.crash_line :]]
    # The first is that of the crash.
    panics = [line for line in said if PANIC in line and "---[" not in line][1:]
    programs = [line for line in said if not line.startswith(("[", initrds.ENDED))]
    return (panics or programs or said)[-1]


async def save(combination: Combination, guest: Guest) -> str:
    """Waits until the capture kernel has saved the dump; the reason if it does not."""
    if combination.initrd == GUESTS:
        await guest.captured()
        finished = await guest.run("sh", "-c", combination.script, timeout_s=PATIENCE)
        status, words = finished.status, " ".join(finished.stderr.splitlines()[-1:])
    else:
        console = guest.machine.console
        ended = console.line(f"^{initrds.ENDED}", guest.crash_line)
        line = await guest.machine.until(ended, "the dump", PATIENCE)
        status, words = int(line.text.split()[-1]), last_words(guest)
    return f"status {status}, {words}" if status != 0 else ""


async def attempt(combination: Combination, size_mib: int) -> str:
    """Why a crash with a region of this size leaves no dump; "" if it leaves one."""
    directory = paths.results("bench", paths.RUN, combination.name, str(size_mib))
    # A larger one that was shrunk would be elsewhere, and could need page structs for more memory.
    async with boot(directory, HARDWARE, f"crashkernel={size_mib}M") as guest:
        assert int(await guest.read(SIZE)) == size_mib * MIB
        await guest.send(paths.GUEST_INITRD, initrd_of(combination))
        try:
            await combination.stack.load(guest, combination.command_line)
        except AgentError as error:
            return f"not loaded: {str(error).splitlines()[-1]}"
        await guest.crash()
        try:
            reason = await save(combination, guest)
        except GuestError as error:
            return f"{str(error).splitlines()[0]}; {last_words(guest)}"
        except AgentError as error:
            return str(error).splitlines()[0]
        return reason or is_wrong(combination.tool, guest.machine.disk)


async def missing(combination: Combination, size_mib: int) -> str:
    """The same, where a guest that does not come to its crash tells nothing."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await attempt(combination, size_mib)
        except (GuestError, AgentError) as error:
            print(f"{combination}: {str(error).splitlines()[0]}; once more", flush=True)
    return await attempt(combination, size_mib)


async def least(combination: Combination, first: int, asked: argparse.Namespace) -> int:
    """The least size with which each of several crashes left its dump, in MiB.

    Sizes further and further from the first one are tried until there are one that suffices and one
    that does not, and then those between them. One that suffices only now and then does not.
    """
    step: int = asked.step

    async def suffices(steps: int) -> bool:
        reason = await missing(combination, steps * step)
        said = f"none: {reason}" if reason else "a dump"
        print(f"{combination}: {steps * step} MiB leave {said}", flush=True)
        return not reason

    most = MOST_MIB // step
    works, fails = most + 1, 0
    tried, distance = min(max(first // step, 1), most), 1
    while works - fails > 1:
        found = await suffices(tried)
        works, fails = (tried, fails) if found else (works, tried)
        if works > most:
            assert fails < most, f"{combination}: {MOST_MIB} MiB do not suffice"
            tried = min(fails + distance, most)
        elif fails == 0:
            tried = max(works - distance, works // 2)
        else:
            tried = (works + fails) // 2
        distance *= 2
    dumps = 1
    while dumps < asked.runs:
        if await suffices(works):
            dumps += 1
        else:
            works, dumps = works + 1, 0
    return works * step


async def compare(asked: argparse.Namespace) -> None:
    """Prints the least size for each initrd, tool and stack."""
    print(f"The capture kernel is that of {paths.CAPTURE_TARGET}.", flush=True)
    found: dict[Combination, int] = {}
    for initrd in asked.initrds:
        first = asked.first
        for tool in asked.tools:
            for stack in asked.stacks:
                combination = Combination(initrd, tool, stack)
                first = found[combination] = await least(combination, first, asked)
    print(
        "\nThe least crash region with which a crash left its dump, in MiB, and the initrd's size:"
    )
    print(f"  {'initrd':<12}{'saved by':<20}" + "".join(f"{it.name:>22}" for it in asked.stacks))
    for initrd in asked.initrds:
        for tool in asked.tools:
            row = ""
            for stack in asked.stacks:
                combination = Combination(initrd, tool, stack)
                initrd_mib = len(initrd_of(combination)) / MIB
                row += f"{f'{found[combination]} ({initrd_mib:.1f})':>22}"
            print(f"  {initrd:<12}{tool.name:<20}{row}")


def main() -> None:
    """Compares what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])

    def choose(option: str, choices: dict[str, object]) -> None:
        parser.add_argument(
            option, nargs="+", choices=choices, default=list(choices), help="some only"
        )

    there = [tool for tool in TOOLS_THAT_SAVE if tool.files != makedumpfile or has_makedumpfile()]
    tools = {tool.name.replace(" ", ""): tool for tool in there}
    stacks = {"ours": STACKS[0], "own": STACKS[1]}
    choose("--tools", {**tools})
    choose("--stacks", {**stacks})
    choose("--initrds", {**INITRDS})
    parser.add_argument(
        "--step", type=int, default=1, metavar="MIB", help="between two sizes (%(default)s)"
    )
    parser.add_argument(
        "--runs", type=int, default=3, help="that have to leave a dump (%(default)s)"
    )
    parser.add_argument(
        "--first", type=int, default=FIRST_MIB, metavar="MIB", help="tried first (%(default)s)"
    )
    asked = parser.parse_args()
    assert HAS_BOTH, "needs a capture kernel with a file of its own: CAPTURE_VARIANT=vmcore"
    asked.tools = [tools[name] for name in asked.tools]
    asked.stacks = [stacks[name] for name in asked.stacks]
    asked.initrds = [INITRDS[name] for name in asked.initrds]
    asyncio.run(compare(asked))


if __name__ == "__main__":
    main()
