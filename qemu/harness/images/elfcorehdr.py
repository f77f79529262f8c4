# SPDX-License-Identifier: GPL-2.0
"""An elfcorehdr, as a crashed kernel leaves it, and notes for it."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A program header of an elfcorehdr, and what its memory holds."""

    kind: int
    address: int
    contents: bytes
    virtual: int = 0

    def encode(self) -> bytes:
        """The program header's bytes."""
        size = len(self.contents)
        return struct.pack(
            "<IIQQQQQQ", self.kind, 7, self.address, self.virtual, self.address, size, size, 0
        )


PT_LOAD, PT_NOTE = 1, 4
EM_X86_64 = 62


def elfcorehdr(pieces: list[Piece]) -> bytes:
    """An elfcorehdr, as a crashed kernel leaves it."""
    header = struct.pack(
        "<4s5B7xHHIQQQIHHHHHH",
        b"\x7fELF",
        2,
        1,
        1,
        0,
        0,
        4,
        EM_X86_64,
        1,
        0,
        64,
        0,
        0,
        64,
        56,
        len(pieces),
        0,
        0,
        0,
    )
    return header + b"".join(piece.encode() for piece in pieces)


def note(name: bytes, kind: int, contents: bytes) -> bytes:
    """An ELF note."""
    name += b"\0"
    parts = [struct.pack("<III", len(name), len(contents), kind)]
    parts += [part + bytes(-len(part) % 4) for part in (name, contents)]
    return b"".join(parts)


def field(index: int, offset: int, value: int) -> tuple[int, bytes]:
    """A field of the elfcorehdr's program header `index`: its place, and the bytes to be there."""
    return 64 + 56 * index + offset, struct.pack("<Q", value)
