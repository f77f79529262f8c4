# SPDX-License-Identifier: GPL-2.0
"""Known memory for a kernel that is told that another one crashed before it (x86_64)."""

from random import Random

from harness.images.elfcorehdr import PT_LOAD, PT_NOTE, Piece, elfcorehdr, note
from harness.units import MIB, PAGE

AT = 0x2000_0000

SIZE = 64 * MIB

DIRECT_MAP = 0xFFFF_8880_0000_0000

# Places in the prepared memory. The elfcorehdr comes first, then notes, and the dumped bytes.
NOTES = AT + PAGE

DUMPED = AT + 2 * MIB


def known_notes() -> bytes:
    """One note, and after it zeros, which stand for a CPU that never ran."""
    return note(b"CORE", 1, bytes(range(200))) + bytes(100)


def known_memory(random: Random) -> tuple[bytes, bytes, list[Piece]]:
    """Memory with an elfcorehdr, the bytes to be dumped, and what the header says."""
    dumped = random.randbytes(40 * MIB + 3 * PAGE)
    pieces = [
        Piece(PT_NOTE, NOTES, known_notes()),
        Piece(PT_LOAD, DUMPED + 0x123, dumped[0x123 : 5 * PAGE], DIRECT_MAP + 0x123),
        Piece(PT_LOAD, DUMPED + 5 * PAGE, dumped[5 * PAGE :], DIRECT_MAP + 5 * PAGE),
    ]
    memory = elfcorehdr(pieces).ljust(PAGE, b"\0") + known_notes()
    memory = memory.ljust(DUMPED - AT, b"\0") + dumped
    return memory.ljust(SIZE, b"\0"), dumped, pieces
