# SPDX-License-Identifier: GPL-2.0
"""Bytes at offsets, and the extents of the kernels that are assembled, for all formats."""

import struct

from harness.units import KIB, MIB

CODE_LEN = 32 * KIB

# The address that images are linked to, and the memory that they need.
LOAD_ADDRESS = 16 * MIB
MEMORY_LEN = 8 * MIB


def patch(file: bytes, offset: int, contents: bytes) -> bytes:
    """The file with other bytes at an offset."""
    return file[:offset] + contents + file[offset + len(contents) :]


def flip(file: bytes, offset: int, mask: int = 1) -> bytes:
    """The file with bits of one byte changed."""
    return patch(file, offset, bytes([file[offset] ^ mask]))


def put(file: bytearray, offset: int, layout: str, *values: int | bytes) -> None:
    """Writes values at an offset, as `struct` lays them out."""
    struct.pack_into(f"<{layout}", file, offset, *values)
