# SPDX-License-Identifier: GPL-2.0
"""Kernel images assembled on the host: headers by the formats' own texts, contents that never run.

The bzImage is after the kernel's Documentation/arch/x86/boot.rst, the Image after its
Documentation/arch/arm64/booting.rst, PE files after Microsoft's "PE Format", ELF files after the
System V ABI, and the EFI zboot header after the kernel's drivers/firmware/efi/libstub.
"""

import gzip
import struct
from collections.abc import Sequence
from typing import NamedTuple

KIB = 1 << 10
MIB = 1 << 20

# The PE machine types.
AMD64 = 0x8664
ARM64 = 0xAA64

# Where an optional header of 64-bit addresses has its fields.
SIZE_OF_HEADERS = 60
DIRECTORY_COUNT = 108
DIRECTORIES = 112
CERTIFICATES = DIRECTORIES + 4 * 8

# Data directories, up to the last one that is common; the fifth is for certificates.
DIRECTORY_LEN = 6 * 8

# struct setup_header: where each field is, and its format.
SETUP_HEADER = {
    "setup_sects": (0x1F1, "B"),
    "syssize": (0x1F4, "I"),
    "boot_flag": (0x1FE, "H"),
    "jump": (0x200, "H"),
    "header": (0x202, "4s"),
    "version": (0x206, "H"),
    "loadflags": (0x211, "B"),
    "initrd_addr_max": (0x22C, "I"),
    "kernel_alignment": (0x230, "I"),
    "relocatable_kernel": (0x234, "B"),
    "xloadflags": (0x236, "H"),
    "cmdline_size": (0x238, "I"),
    "payload_offset": (0x248, "I"),
    "payload_length": (0x24C, "I"),
    "pref_address": (0x258, "Q"),
    "init_size": (0x260, "I"),
}
SETUP_LEN = 17 * 512
CODE_LEN = 32 * KIB

# struct arm64_image_header.
ARM64_HEADER = {
    "text_offset": (8, "Q"),
    "image_size": (16, "Q"),
    "flags": (24, "Q"),
    "magic": (56, "4s"),
}

# Where images are linked to, and what they need of memory.
LOAD_ADDRESS = 16 * MIB
MEMORY_LEN = 8 * MIB


def patch(file: bytes, offset: int, contents: bytes) -> bytes:
    """The file with other bytes at an offset."""
    return file[:offset] + contents + file[offset + len(contents) :]


def flip(file: bytes, offset: int, mask: int = 1) -> bytes:
    """The file with bits of one byte changed."""
    return patch(file, offset, bytes([file[offset] ^ mask]))


def _put(file: bytearray, offset: int, layout: str, *values: int | bytes) -> None:
    struct.pack_into(f"<{layout}", file, offset, *values)


def optional_header(file: bytes) -> int:
    """Where a PE file has its optional header."""
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


def _put_pe(file: bytearray, at: int, machine: int, sections: Sequence[Section]) -> None:
    """Writes PE headers that stand at `at`, in front of the first section."""
    optional = at + 24
    table = optional + DIRECTORIES + DIRECTORY_LEN
    _put(file, 0, "2s", b"MZ")
    _put(file, 0x3C, "I", at)
    _put(file, at, "4sHH", b"PE\0\0", machine, len(sections))
    _put(file, at + 20, "HH", table - optional, 0x206)
    _put(file, optional, "H", 0x20B)
    # Alignment in memory and in the file.
    _put(file, optional + 32, "II", 0x1000, 0x200)
    _put(file, optional + 56, "II", len(file), sections[0].start)
    # Subsystem: an EFI program.
    _put(file, optional + 68, "H", 10)
    _put(file, optional + DIRECTORY_COUNT, "I", DIRECTORY_LEN // 8)
    for index, (name, start, end) in enumerate(sections):
        place = (end - start, start, end - start, start)
        _put(file, table + 40 * index, "8sIIII", name, *place)
        # Code that can be executed and read.
        _put(file, table + 40 * index + 36, "I", 0x60000020)


def pe(machine: int, contents: dict[bytes, bytes]) -> bytes:
    """A PE file with these sections."""
    file = bytearray(0x400)
    sections = []
    for name, section in contents.items():
        start = len(file)
        file += section + bytes(-len(section) % 0x200)
        # What is padding tells the section's length in memory.
        sections.append(Section(name, start, len(file)))
    _put_pe(file, 0x80, machine, sections)
    table = 0x80 + 24 + DIRECTORIES + DIRECTORY_LEN
    for index, section in enumerate(contents.values()):
        _put(file, table + 40 * index + 8, "I", len(section))
    return bytes(file)


def bzimage(**fields: int | bytes) -> bytes:
    """A bzImage with an EFI stub's headers; `fields` are other values than good ones."""
    code = bytes(offset // 3 % 256 for offset in range(CODE_LEN))
    file = bytearray(SETUP_LEN) + code
    good: dict[str, int | bytes] = {
        "setup_sects": SETUP_LEN // 512 - 1,
        "syssize": CODE_LEN // 16,
        "boot_flag": 0xAA55,
        # To 0x26c, behind the header.
        "jump": 0x6AEB,
        "header": b"HdrS",
        "version": 0x020F,
        "loadflags": 1,
        "initrd_addr_max": 0x7FFFFFFF,
        "kernel_alignment": 2 * MIB,
        "relocatable_kernel": 1,
        "xloadflags": 0x7F,
        "cmdline_size": 2047,
        "payload_offset": 0x400,
        "payload_length": 0x7000,
        "pref_address": LOAD_ADDRESS,
        "init_size": MEMORY_LEN,
    }
    for name, value in (good | fields).items():
        offset, layout = SETUP_HEADER[name]
        _put(file, offset, layout, value)
    sections = (Section(b".setup", 512, SETUP_LEN), Section(b".text", SETUP_LEN, len(file)))
    _put_pe(file, 0x40, AMD64, sections)
    return bytes(file)


def arm64_image(**fields: int | bytes) -> bytes:
    """An arm64 Image with an EFI stub's headers; `fields` are other values than good ones."""
    code = bytes(offset // 3 % 256 for offset in range(CODE_LEN))
    file = bytearray(pe(ARM64, {b".text": code, b".data": code}))
    good: dict[str, int | bytes] = {
        "text_offset": 0,
        "image_size": MEMORY_LEN,
        # Pages of 4 KiB, anywhere in memory.
        "flags": 0b1010,
        "magic": b"ARM\x64",
    }
    for name, value in (good | fields).items():
        offset, layout = ARM64_HEADER[name]
        _put(file, offset, layout, value)
    return bytes(file)


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


def vmlinux(
    machine: int,
    segments: Sequence[Segment] = (Segment(),),
    entry: int = LOAD_ADDRESS + 0x200,
    elf_class: int = 2,
    kind: int = 2,
) -> bytes:
    """An ELF kernel; the defaults are a good one's."""
    file = bytearray(0x1000 + CODE_LEN)
    ident = b"\x7fELF" + bytes([elf_class, 1, 1])
    _put(file, 0, "16sHHI", ident, kind, machine, 1)
    _put(file, 24, "QQQIHHHHHH", entry, 64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    for index, segment in enumerate(segments):
        _put(
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


def unified(machine: int, kernel: bytes, initrd: bytes, command_line: str) -> bytes:
    """A unified kernel image."""
    return pe(
        machine,
        {
            b".text": bytes([0xCC]) * 512,
            b".linux": kernel,
            b".initrd": initrd,
            b".cmdline": command_line.encode(),
        },
    )


def zboot(kernel: bytes) -> bytes:
    """An EFI zboot image (vmlinuz.efi), as the kernel's build makes them for arm64."""
    # The build takes the length, which gzip has at its end, as a field of its own.
    payload = gzip.compress(kernel, mtime=0)
    file = bytearray(pe(ARM64, {b".text": payload}))
    _put(file, 4, "4sII", b"zimg", 0x400, len(payload))
    _put(file, 24, "32s", b"gzip")
    return bytes(file)
