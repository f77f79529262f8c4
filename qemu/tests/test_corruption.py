# SPDX-License-Identifier: GPL-2.0
"""One flipped bit in the loaded image: the purgatory says where, and nothing boots."""

from random import Random

import pytest

from harness.guest.guest import FIRST_LINE, PATIENCE, Guest
from harness.guest.loading import CAPTURE
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.scenarios.hotplug import USE_PLUGGED_MEMORY
from harness.steps.memory import plug_memory
from harness.testing import in_guest

# The damaged segment, and the digest that shows it. The table's own is always SHA-256.
CASES = (
    ("kernel", "sha256"),
    ("kernel", "xxh64"),
    ("initrd", "xxh64"),
    (PLATFORM.handover, "sha256"),
    ("purgatory table", "xxh64"),
)
NAMES = {"sha256": "SHA-256", "xxh64": "XXH64"}


@pytest.mark.parametrize(("kind", "digest"), CASES, ids=lambda name: name.replace(" ", "-"))
@in_guest(Hardware(open_memory=True))
async def test_corrupt(guest: Guest, kind: str, digest: str, random: Random) -> None:
    await guest.load(CAPTURE, f"--digest={digest}")
    victim = (await guest.status()).segments[kind]
    flip(guest, random.choice(victim.file), random)
    await refused(guest, NAMES["sha256" if victim.digest is None else digest], kind)


# The damaged part of the ELF core header, and the digest that shows it.
CORE_HEADER_CASES = {"header": "XXH64", "selection": "digest"}


@pytest.mark.parametrize("part", CORE_HEADER_CASES)
@pytest.mark.parametrize("changes", [0, 1])
@in_guest(
    Hardware(open_memory=True, hotplug=True, firmware=PLATFORM.plugs_memory_by_firmware),
    f"crashkernel=256M {USE_PLUGGED_MEMORY}",
)
async def test_corrupt_core_header(guest: Guest, part: str, changes: int, random: Random) -> None:
    """The ELF core header: as loaded, and after it has followed memory that was plugged in."""
    await guest.load(CAPTURE, "--digest=xxh64")
    first = (await guest.status()).segments["elfcorehdr"]
    if changes:
        await plug_memory(guest, "dimm")
    status = await guest.status()
    in_force = status.segments["elfcorehdr"]
    # The slots take turns.
    assert (in_force.memory.start != first.memory.start) == status.changes % 2
    if part == "header":
        flip(guest, random.choice(in_force.file), random)
    else:
        # The number of the slot in force stands after both slots.
        flip(guest, first.memory.start + 2 * len(first.memory), random)
    await refused(guest, CORE_HEADER_CASES[part], "elfcorehdr")


def flip(guest: Guest, address: int, random: Random) -> None:
    """Flips a bit of a byte."""
    mask = 1 << random.randrange(8)
    print(f"flipping {mask:#04x} at {address:#x}")
    guest.machine.flip(address, mask)


async def refused(guest: Guest, digest: str, kind: str) -> None:
    """Crashes the guest: the purgatory says what does not match, and halts."""
    segments = (await guest.status()).segments
    await guest.crash()
    message = f"rust_kexec purgatory: {digest} of the {kind} does not match"
    console = guest.machine.console
    # A capture kernel that boots is the end of the wait too.
    said = await guest.machine.until(
        console.line(f"{message}|{FIRST_LINE}", guest.crash_line),
        "the purgatory's message",
        PATIENCE,
    )
    assert message in said.text
    await halted_in_the_purgatory(guest, segments["purgatory"].memory)
    assert console.find(FIRST_LINE, guest.crash_line) is None


async def halted_in_the_purgatory(guest: Guest, purgatory: range) -> None:
    """Waits until a CPU is inside the purgatory's segment for good."""

    async def halted() -> None:
        while True:
            for cpu in await guest.machine.registers():
                # With interrupts masked nothing but a reset gets it out of there.
                if PLATFORM.stopped(cpu) and cpu[PLATFORM.monitor_pointer] in purgatory:
                    return

    await guest.machine.until(halted(), "a CPU to halt in the purgatory", PATIENCE)
