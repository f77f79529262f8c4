# SPDX-License-Identifier: GPL-2.0
"""One flipped bit in the loaded image: the purgatory says where, and nothing boots."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness.guest import CAPTURE, FIRST_LINE, PATIENCE, Guest, boot
from harness.machine import Hardware
from harness.platform import PLATFORM

# What is damaged, and which digest shows it. The table's own is always SHA-256.
CASES = (
    ("kernel", "sha256"),
    ("kernel", "xxh64"),
    ("initrd", "xxh64"),
    (PLATFORM.handover, "sha256"),
    ("purgatory table", "xxh64"),
)
NAMES = {"sha256": "SHA-256", "xxh64": "XXH64"}


@pytest.mark.parametrize(("kind", "digest"), CASES, ids=lambda name: name.replace(" ", "-"))
def test_corrupt(kind: str, digest: str, directory: Path, random: Random) -> None:
    asyncio.run(corrupt(kind, digest, directory, random))


async def corrupt(kind: str, digest: str, directory: Path, random: Random) -> None:
    async with boot(directory, Hardware(open_memory=True)) as guest:
        await guest.load(CAPTURE, f"--digest={digest}")
        segments = (await guest.status()).segments
        victim = segments[kind]
        address = random.choice(victim.file)
        mask = 1 << random.randrange(8)
        print(f"flipping {mask:#04x} at {address:#x}, in {victim}")
        guest.machine.flip(address, mask)
        await guest.crash()
        name = NAMES["sha256" if victim.digest is None else digest]
        message = f"rust_kexec purgatory: {name} of the {kind} does not match"
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
