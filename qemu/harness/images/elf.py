# SPDX-License-Identifier: GPL-2.0
"""ELF kernels, after the System V ABI."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.images.layout import CODE_LEN, LOAD_ADDRESS, MEMORY_LEN, put


class Segment(NamedTuple):
    """An ELF file's program header."""

    offset: int = 0x1000
    virtual: int = 0xFFFFFFFF81000000
    physical: int = LOAD_ADDRESS
    file_len: int = CODE_LEN
    memory_len: int = MEMORY_LEN
    alignment: int = 0x1000
    kind: int = 1
    flags: int = 7


def elf_kernel(
    machine: int,
    segments: Sequence[Segment] = (Segment(),),
    entry: int = LOAD_ADDRESS + 0x200,
    elf_class: int = 2,
    kind: int = 2,
) -> bytes:
    """An ELF kernel; the defaults are a good one's."""
    file = bytearray(0x1000 + CODE_LEN)
    ident = b"\x7fELF" + bytes([elf_class, 1, 1])
    put(file, 0, "16sHHI", ident, kind, machine, 1)
    put(file, 24, "QQQIHHHHHH", entry, 64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    for index, segment in enumerate(segments):
        put(
            file,
            64 + 56 * index,
            "IIQQQQQQ",
            segment.kind,
            segment.flags,
            segment.offset,
            segment.virtual,
            segment.physical,
            segment.file_len,
            segment.memory_len,
            segment.alignment,
        )
    return bytes(file)
