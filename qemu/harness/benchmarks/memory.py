# SPDX-License-Identifier: GPL-2.0
"""How little memory a capture kernel can save a dump in: ours, and the kernel's own.

The same guest, kernel, initrd and command line, and a crash region that gets smaller until a crash
leaves no dump, by bisection. The dump is saved to a disk, with dd as it is, and with makedumpfile
(-c -d 31) where the initrd has that. Each stack's capture kernel serves the file of that stack.
"""

import asyncio
from dataclasses import dataclass

from harness import paths
from harness.benchmarks.measurement import KERNELS_OWN, RUST_KEXEC
from harness.guest.agent import AgentError
from harness.guest.boot import boot
from harness.guest.guest import PATIENCE, Guest
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS
from harness.machine.errors import GuestError
from harness.machine.hardware import Hardware
from harness.units import MIB

SIZE = "/sys/kernel/kexec_crash_size"

# The largest region that is tried, and the difference between two that are.
MOST_MIB = 256
STEP_MIB = 4

HARDWARE = Hardware(memory_mib=1024)

TO_DISK = "of=/dev/vda bs=1M"


@dataclass(frozen=True)
class Stack:
    """What loads an image, and serves the dump."""

    name: str
    file: str

    async def load(self, guest: Guest) -> None:
        """Loads the capture kernel."""
        if self.name == KERNELS_OWN:
            await guest.load_by_the_kernels_own()
        else:
            await guest.load()


STACKS = (Stack(RUST_KEXEC, OURS), Stack(KERNELS_OWN, THEIRS))

# The command that saves the dump, which has to read it to its end.
TOOLS = {
    "dd": "dd if={file} " + TO_DISK + " oflag=direct conv=notrunc,fsync 2>&1",
    "makedumpfile": "set -o pipefail; makedumpfile -F -c -d 31 {file} | dd " + TO_DISK,
}


async def leaves_a_dump(stack: Stack, tool: str, size_mib: int) -> bool:
    """Whether a crash with a region of this size leaves a dump."""
    directory = paths.results("bench", paths.RUN)
    command_line = f"crashkernel={MOST_MIB}M"
    async with boot(directory, HARDWARE, command_line) as guest:
        size = size_mib * MIB
        await guest.shell(f"echo {size} > {SIZE}")
        assert int(await guest.read(SIZE)) == size
        try:
            await stack.load(guest)
        except AgentError:
            return False
        await guest.crash()
        try:
            await guest.captured()
            await guest.shell(TOOLS[tool].format(file=stack.file), timeout_s=PATIENCE)
        except (GuestError, AgentError):
            return False
    return True


async def least(stack: Stack, tool: str) -> int:
    """The least size with which there is a dump, where one step less leaves none; in MiB."""
    works, fails = MOST_MIB // STEP_MIB, 0
    assert await leaves_a_dump(stack, tool, MOST_MIB), f"{MOST_MIB} MiB do not suffice"
    while works - fails > 1:
        middle = (works + fails) // 2
        found = await leaves_a_dump(stack, tool, middle * STEP_MIB)
        works, fails = (middle, fails) if found else (works, middle)
        said = "a dump" if found else "none"
        print(f"{stack.name}, {tool}: {middle * STEP_MIB} MiB leave {said}", flush=True)
    return works * STEP_MIB


async def has(tool: str) -> bool:
    """Whether a guest has a program, and so its capture kernel."""
    async with boot(paths.results("bench", paths.RUN), HARDWARE, "") as guest:
        return (await guest.run("sh", "-c", f"command -v {tool}")).status == 0


async def compare() -> None:
    """Prints the least size for each stack and tool."""
    tools = [tool for tool in TOOLS if await has(tool)]
    found = {(stack, tool): await least(stack, tool) for tool in tools for stack in STACKS}
    print("\nThe least crash region with which a crash left its dump, in MiB:")
    print(f"  {'':<14}" + "".join(f"{stack.name:>18}" for stack in STACKS))
    for tool in tools:
        print(f"  {tool:<14}" + "".join(f"{found[stack, tool]:>18}" for stack in STACKS))


def main() -> None:
    """Compares both stacks."""
    assert HAS_BOTH, "needs a capture kernel with a file of its own: CAPTURE_VARIANT=vmcore"
    asyncio.run(compare())


if __name__ == "__main__":
    main()
