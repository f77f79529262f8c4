# SPDX-License-Identifier: GPL-2.0
"""Sets of page frames as integers, a bit for each, out of files in makedumpfile's format."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Offsets in struct disk_dump_header (block_size, sub_hdr_size, bitmap_blocks), and in
# struct kdump_sub_header (max_mapnr_64), as makedumpfile's IMPLEMENTATION documents them.
SIZES = 428
FRAMES = 96


@dataclass(frozen=True)
class Bitmaps:
    """Which page frames there were, and which are in the file."""

    memory: int
    dumped: int

    @classmethod
    def read(cls, path: Path) -> "Bitmaps":
        """Those of a kdump-compressed file."""
        with open(path, "rb") as file:
            header = file.read(464)
            assert header.startswith(b"KDUMP   "), header[:8]
            block, sub_blocks, bitmap_blocks = struct.unpack_from("<3i", header, SIZES)
            file.seek(block)
            (frames,) = struct.unpack_from("<Q", file.read(FRAMES + 8), FRAMES)
            file.seek(block * (1 + sub_blocks))
            both = file.read(block * bitmap_blocks)
        half = len(both) // 2
        mask = (1 << frames) - 1
        first, second = both[:half], both[half:]
        return cls(int.from_bytes(first, "little") & mask, int.from_bytes(second, "little") & mask)


def frames(bits: int) -> Iterator[int]:
    """The frames in a set, in ascending order."""
    for number, byte in enumerate(bits.to_bytes((bits.bit_length() + 7) // 8, "little")):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield number * 8 + bit
