# SPDX-License-Identifier: GPL-2.0
"""PE files, after Microsoft's "PE Format": sections, and the table of certificates."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from harness.images.layout import patch, put

# The PE machine types.
AMD64 = 0x8664
ARM64 = 0xAA64

# Offsets of fields in an optional header with 64-bit addresses.
DIRECTORY_COUNT = 108
DIRECTORIES = 112
CERTIFICATES = DIRECTORIES + 4 * 8

# Data directories, up to the last one that is common; the fifth is for certificates.
DIRECTORY_LEN = 6 * 8


def optional_header(file: bytes) -> int:
    """The offset of a PE file's optional header."""
    return int.from_bytes(file[0x3C:0x40], "little") + 24


def certificate_table(file: bytes) -> tuple[int, int]:
    """Offset and length of a PE file's certificate table, 0 and 0 without one."""
    return struct.unpack_from("<II", file, optional_header(file) + CERTIFICATES)


def with_certificate_table(file: bytes, offset: int, length: int) -> bytes:
    """The PE file with another place for its certificate table."""
    directory = optional_header(file) + CERTIFICATES
    return patch(file, directory, struct.pack("<II", offset, length))


class Section(NamedTuple):
    """A PE file's section."""

    name: bytes
    start: int
    end: int


def put_pe(file: bytearray, at: int, machine: int, sections: Sequence[Section]) -> None:
    """Writes PE headers that stand at `at`, in front of the first section."""
    optional = at + 24
    table = optional + DIRECTORIES + DIRECTORY_LEN
    put(file, 0, "2s", b"MZ")
    put(file, 0x3C, "I", at)
    put(file, at, "4sHH", b"PE\0\0", machine, len(sections))
    put(file, at + 20, "HH", table - optional, 0x206)
    put(file, optional, "H", 0x20B)
    # Alignment in memory and in the file.
    put(file, optional + 32, "II", 0x1000, 0x200)
    put(file, optional + 56, "II", len(file), sections[0].start)
    # Subsystem: an EFI program.
    put(file, optional + 68, "H", 10)
    put(file, optional + DIRECTORY_COUNT, "I", DIRECTORY_LEN // 8)
    for index, (name, start, end) in enumerate(sections):
        place = (end - start, start, end - start, start)
        put(file, table + 40 * index, "8sIIII", name, *place)
        # Code that can be executed and read.
        put(file, table + 40 * index + 36, "I", 0x60000020)


def pe(machine: int, contents: dict[bytes, bytes]) -> bytes:
    """A PE file with these sections."""
    file = bytearray(0x400)
    sections = []
    for name, section in contents.items():
        start = len(file)
        file += section + bytes(-len(section) % 0x200)
        # The length in memory tells where the padding starts.
        sections.append(Section(name, start, len(file)))
    put_pe(file, 0x80, machine, sections)
    table = 0x80 + 24 + DIRECTORIES + DIRECTORY_LEN
    for index, section in enumerate(contents.values()):
        put(file, table + 40 * index + 8, "I", len(section))
    return bytes(file)
