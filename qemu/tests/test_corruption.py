# SPDX-License-Identifier: GPL-2.0
"""One flipped bit in the loaded image: somebody says where, and nothing boots.

What the purgatory is made of, the module finds before it jumps: the panic goes on, and the machine
reboots as panic= says. The rest the purgatory finds, which halts.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.guest.boot import boot
from harness.guest.guest import FIRST_LINE, PATIENCE, Guest
from harness.guest.loading import CAPTURE
from harness.guest.status import Status
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.scenarios.hotplug import USE_PLUGGED_MEMORY
from harness.steps.memory import plug_memory
from harness.testing import in_guest, needs

COMMAND_LINE = "crashkernel=256M panic=1"

# The damaged segment, and the digest that shows it.
CASES = (
    ("kernel", "sha256"),
    ("kernel", "xxh64"),
    ("initrd", "xxh64"),
    (PLATFORM.handover, "sha256"),
)
NAMES = {"sha256": "SHA-256", "xxh64": "XXH64"}


@pytest.mark.parametrize(("kind", "digest"), CASES, ids=lambda name: name.replace(" ", "-"))
@in_guest(Hardware(open_memory=True), COMMAND_LINE)
async def test_corrupt(guest: Guest, kind: str, digest: str, random: Random) -> None:
    await guest.load(CAPTURE, f"--digest={digest}")
    victim = (await guest.status()).segments[kind]
    flip(guest, random.choice(victim.file), random)
    await refused_by_the_purgatory(guest, NAMES[digest], kind)


# The damaged part of the elfcorehdr, and the digest that shows it.
ELFCOREHDR_CASES = {"header": "XXH64", "selection": "digest"}


@needs("MEMORY_HOTPLUG")
@pytest.mark.parametrize("part", ELFCOREHDR_CASES)
@pytest.mark.parametrize("changes", [0, 1])
@in_guest(
    Hardware(open_memory=True, hotplug=True, firmware=PLATFORM.plugs_memory_by_firmware),
    f"{COMMAND_LINE} {USE_PLUGGED_MEMORY}",
)
async def test_corrupt_elfcorehdr(guest: Guest, part: str, changes: int, random: Random) -> None:
    """The elfcorehdr: as loaded, and after it has followed memory that was plugged in."""
    await guest.load()
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
        flip(guest, selection(first.memory).start, random)
    await refused_by_the_purgatory(guest, ELFCOREHDR_CASES[part], "elfcorehdr")


def selection(first_slot: range) -> range:
    """The number of the slot in force, which stands after both slots."""
    start = first_slot.start + 2 * len(first_slot)
    return range(start, start + 8)


def code(status: Status) -> range:
    """The purgatory's code, its data and its stack."""
    start = status.segments["purgatory"].file.start
    return range(start, start + paths.PURGATORY.stat().st_size)


def page_tables(status: Status) -> range:
    """The page tables that the purgatory runs on, which follow it."""
    end = code(status).stop
    return range(end + -end % PLATFORM.page, status.segments["purgatory"].file.stop)


# What the module checks before it jumps.
PURGATORY_PARTS: dict[str, tuple[str, Callable[[Status], range]]] = {
    "code": ("purgatory", code),
    "page-tables": ("purgatory", page_tables),
    "table": ("purgatory table", lambda status: status.segments["purgatory table"].file),
}


async def on_one_cpu(guest: Guest) -> None:
    """The panic of one CPU."""
    await guest.crash()


async def on_every_cpu(guest: Guest) -> None:
    """The panic of all CPUs at once."""
    await guest.crash_all_cpus()


@pytest.mark.parametrize(
    ("part", "options", "panic"),
    [
        *((part, "", on_one_cpu) for part in PURGATORY_PARTS),
        ("code", "crash_kexec_post_notifiers", on_one_cpu),
        ("page-tables", "", on_every_cpu),
    ],
    ids=["code", "page-tables", "table", "code-after-notifiers", "page-tables-on-every-cpu"],
)
async def test_corrupt_purgatory(
    directory: Path,
    random: Random,
    part: str,
    options: str,
    panic: Callable[[Guest], Awaitable[None]],
) -> None:
    hardware = Hardware(cpus=3, open_memory=True)
    async with boot(directory, hardware, f"{COMMAND_LINE} {options}") as guest:
        await guest.load()
        status = await guest.status()
        kind, where_of = PURGATORY_PARTS[part]
        digest = status.segments[kind].digest
        assert digest is not None and digest.algorithm == "XXH64"
        flip(guest, random.choice(where_of(status)), random)
        await panic(guest)
        await refused_by_the_module(guest, kind)


def covered(status: Status) -> list[tuple[str, range]]:
    """The parts of a newly loaded image that digests cover, with their segments' kinds."""
    segments = status.segments
    slot = segments["elfcorehdr"].memory
    chosen = selection(slot)
    return [
        *((kind, where(status)) for kind, where in PURGATORY_PARTS.values()),
        *((kind, segments[kind].file) for kind in ("kernel", "initrd", PLATFORM.handover)),
        ("elfcorehdr", segments["elfcorehdr"].file),
        # The slot's number, and the record of the first slot, which is in force.
        ("elfcorehdr", chosen),
        ("elfcorehdr", range(chosen.stop, chosen.stop + 56)),
    ]


@in_guest(Hardware(open_memory=True), COMMAND_LINE)
async def test_corrupt_at_random(guest: Guest, flip_number: int, random: Random) -> None:
    """A bit anywhere: of each part in turn, and in between of all of them together."""
    await guest.load()
    parts = covered(await guest.status())
    weights = [len(where) for _, where in parts]
    if flip_number % 2:
        [(kind, where)] = random.choices(parts, weights)
    else:
        kind, where = parts[flip_number // 2 % len(parts)]
    print(f"part of the {kind}")
    flip(guest, random.choice(where), random)
    if kind.startswith("purgatory"):
        await guest.crash()
        await refused_by_the_module(guest, kind)
    else:
        await refused_by_the_purgatory(guest, "(XXH64|digest)", kind)


@in_guest(Hardware(open_memory=True), COMMAND_LINE)
async def test_corrupt_nothing(guest: Guest) -> None:
    """What is no part of the image may change: the memory of a segment after its contents."""
    await guest.load()
    table = (await guest.status()).segments["purgatory table"]
    guest.machine.flip(table.file.stop, 1)
    await guest.crash()
    await guest.captured()


def flip(guest: Guest, address: int, random: Random) -> None:
    """Flips a bit of a byte."""
    mask = 1 << random.randrange(8)
    print(f"flipping {mask:#04x} at {address:#x}")
    guest.machine.flip(address, mask)


async def refused_by_the_module(guest: Guest, kind: str) -> None:
    """After the crash: no capture kernel boots, and the panic goes on until it reboots."""
    machine, console = guest.machine, guest.machine.console
    ended = asyncio.ensure_future(machine.shut_down())
    booted = asyncio.ensure_future(console.line(FIRST_LINE, guest.crash_line))
    done, others = await asyncio.wait(
        (ended, booted), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
    )
    for task in others:
        task.cancel()
    assert done == {ended}, "the capture kernel booted, or the panic did not go on"
    assert ended.result() == "guest-reset"
    # It may still be on its way to us.
    await asyncio.wait_for(
        console.line(f"rust_kexec: XXH64 of the {kind} does not match", guest.crash_line), 10
    )
    assert console.find(FIRST_LINE, guest.crash_line) is None


async def refused_by_the_purgatory(guest: Guest, digest: str, kind: str) -> None:
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
    assert re.search(message, said.text)
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
