# SPDX-License-Identifier: GPL-2.0
"""Every byte of `/proc/vmcore`, of memory that was put there before the kernel booted."""

import base64
import json
import signal
import struct
from pathlib import Path
from random import Random
from unittest.mock import ANY

import pytest

from harness import paths
from harness.guest.boot import prepared
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, kernel_words
from harness.guest.vmcore import VMCORE, check_bytes, reload
from harness.images.elfcorehdr import PT_LOAD, PT_NOTE, Piece, elfcorehdr
from harness.images.prepared_memory import (
    AT,
    DIRECT_MAP,
    DUMPED,
    NOTES,
    SIZE,
    known_memory,
    known_notes,
)
from harness.testing import prepared_only
from harness.units import MIB, PAGE


def sum_of_words(data: bytes) -> int:
    """The sum that `vmcore time` prints."""
    return sum(memoryview(data).cast("Q")) & ((1 << 64) - 1)


@prepared_only
async def test_known_memory_is_served(directory: Path, random: Random) -> None:
    memory, dumped, pieces = known_memory(random)
    notes = known_notes()[:-100]
    async with prepared(directory, memory, AT, AT) as guest:
        size = 2 * PAGE + len(dumped)
        assert await guest.shell(f"stat -c '%s %a' {VMCORE}") == f"{size} 400\n"
        header = await guest.shell(f"head -c {64 + 3 * 56} {VMCORE} | base64")
        [_, *programs] = struct.iter_unpack(
            "<IIQQQQQQ", b"".join((bytes(56), base64.b64decode(header)[64:]))
        )
        assert programs == [
            (PT_NOTE, 0, PAGE, 0, 0, len(notes), len(notes), 4),
            *(
                (
                    PT_LOAD,
                    7,
                    2 * PAGE + piece.address - DUMPED,
                    piece.virtual,
                    piece.address,
                    len(piece.contents),
                    len(piece.contents),
                    0,
                )
                for piece in pieces[1:]
            ),
        ]
        # All in one mapping, of which the module has a part mapped for reading.
        await check_bytes(guest, dumped[5 * PAGE : 6 * PAGE], 7 * PAGE)
        whole = await guest.run("vmcore", "time", VMCORE, f"--map={size}")
        first_page = base64.b64decode(await guest.shell(f"head -c {PAGE} {VMCORE} | base64"))
        expected = first_page + notes.ljust(PAGE, b"\0") + dumped
        assert json.loads(whole.check().stdout) == {
            "bytes": size,
            "sum": f"{sum_of_words(expected):#018x}",
            "seconds": ANY,
        }

        await check_bytes(guest, notes.ljust(PAGE, b"\0"), PAGE)
        for offset in (0, 5 * PAGE, 2 * MIB, len(dumped) - 2 * PAGE):
            await check_bytes(guest, dumped[offset : offset + 2 * PAGE], 2 * PAGE + offset)

        # Holes, of pages that are excluded.
        hole = range(DUMPED + 3 * PAGE, DUMPED + 7 * PAGE)
        await reload(guest, f"exclude={hole.start + 1:#x}-{hole.stop:#x},0x1000-0x2000")
        finished = await guest.run("vmcore", "extents", VMCORE)
        assert json.loads(finished.check().stdout)["extents"] == [
            [0, "data"],
            [5 * PAGE, "hole"],
            [9 * PAGE, "data"],
        ]
        zeros = dumped[2 * PAGE : 3 * PAGE] + bytes(4 * PAGE) + dumped[7 * PAGE : 8 * PAGE]
        await check_bytes(guest, zeros, 4 * PAGE)
        await guest.shell("rmmod rust_kexec")
        refused = await guest.run("insmod", paths.GUEST_MODULE, "exclude=0x3000-0x1000")
        assert refused.status != 0
        assert "entry 1 of exclude=" in (await kernel_words(guest, "no /proc/vmcore"))[-1]
        assert await complaints(guest) == []


async def read_error(guest: Guest, offset: int) -> str:
    """The error of reading a page of the file."""
    finished = await guest.run(
        "dd", f"if={VMCORE}", "of=/dev/null", f"bs={PAGE}", f"skip={offset // PAGE}", "count=1"
    )
    assert finished.status != 0, finished
    return finished.stderr


@prepared_only
async def test_memory_beside_ram(directory: Path, random: Random) -> None:
    """The elfcorehdr is in a page that is RAM in part, and memory that is in use is not dumped."""
    # The kernel has the RAM that is named here, the last of which begins within the last page. It
    # knows of nothing between, as a kernel that kexec_file_load(2) has loaded.
    ram = "memmap=exactmap memmap=639K@0 memmap=511M@1M memmap=256M@0x23ffff00"
    memory = bytearray(random.randbytes(SIZE - 0x100))
    last = SIZE - PAGE
    in_use = AT // 2
    pieces = [
        Piece(PT_NOTE, NOTES, known_notes()),
        Piece(PT_LOAD, in_use, bytes(2 * MIB), DIRECT_MAP + in_use),
        Piece(PT_LOAD, AT + last - 3 * PAGE, bytes(memory[last - 3 * PAGE :]), DIRECT_MAP + AT),
    ]
    header = elfcorehdr(pieces)
    memory[last : last + len(header)] = header
    memory[PAGE : PAGE + len(known_notes())] = known_notes()
    # The kernel's image, whose pages no allocator has, must be elsewhere.
    async with prepared(directory, bytes(memory), AT, AT + last, options=f"nokaslr {ram}") as guest:
        assert await complaints(guest) == []
        assert int(await guest.shell(f"stat -c %s {VMCORE}")) == 6 * PAGE + 2 * MIB
        assert "Input/output error" in await read_error(guest, 2 * PAGE)
        mapped = await guest.run("vmcore", "time", VMCORE, f"--map={PAGE}", f"--offset={2 * PAGE}")
        assert "cannot map the dump" in mapped.stderr and "EIO" in mapped.stderr, mapped
        beside = 2 * PAGE + 2 * MIB
        await check_bytes(guest, bytes(memory[last - 3 * PAGE : last]), beside)
        await check_bytes(guest, bytes(memory[last:]), beside + 3 * PAGE)
        assert await complaints(guest) == []


@prepared_only
@pytest.mark.skipif(
    not paths.has(paths.TARGET, "TRANSPARENT_HUGEPAGE"),
    reason="without large pages no page is left to the first access",
)
async def test_memory_that_is_not_there(directory: Path, random: Random) -> None:
    """A process that accesses it gets a signal, and does not try for ever."""
    # No CPU of QEMU's has so many address lines.
    nowhere = 1 << 48
    pieces = [
        Piece(PT_NOTE, NOTES, known_notes()),
        Piece(PT_LOAD, nowhere, bytes(4 * MIB), DIRECT_MAP),
    ]
    memory = elfcorehdr(pieces).ljust(PAGE, b"\0") + known_notes()
    async with prepared(directory, memory.ljust(SIZE, b"\0"), AT, AT) as guest:
        assert "cannot allocate memory" in (await read_error(guest, 2 * PAGE)).lower()
        mapped = await guest.run(
            "vmcore", "time", VMCORE, f"--map={4 * MIB}", f"--offset={2 * PAGE}"
        )
        assert mapped.status == -signal.SIGBUS, mapped
        assert await complaints(guest) == []
