# SPDX-License-Identifier: GPL-2.0
"""A bzImage, after the kernel's Documentation/arch/x86/boot.rst."""

import bz2
import gzip
import lzma
import struct
import subprocess
from collections.abc import Callable

from harness.images.layout import CODE_LEN, LOAD_ADDRESS, MEMORY_LEN, put
from harness.images.pe import AMD64, Section, put_pe
from harness.units import MIB

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
PAYLOAD_OFFSET = 0x400


def command(*argv: str) -> Callable[[bytes], bytes]:
    """A compression by a program that reads its standard input."""

    def compress(contents: bytes) -> bytes:
        return subprocess.run(argv, input=contents, capture_output=True, check=True).stdout

    return compress


def xz(contents: bytes) -> bytes:
    """What the kernel's scripts/xz_wrap.sh makes of it on x86."""
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 1}]
    return lzma.compress(contents, check=lzma.CHECK_CRC32, filters=filters)


def lzma_alone(contents: bytes) -> bytes:
    """What `lzma` makes of it."""
    return lzma.compress(contents, lzma.FORMAT_ALONE, preset=1)


# The ways in which the kernel's build can compress a kernel (scripts/Makefile.lib), but quicker.
# What they make is followed by the kernel's length, which gzip has at its own end.
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda contents: gzip.compress(contents, 1, mtime=0),
    "bzip2": lambda contents: bz2.compress(contents, 1),
    "lzma": lzma_alone,
    "xz": xz,
    "lzo": command("lzop", "-1"),
    "lz4": command("lz4", "-l", "-1"),
    "zstd": command("zstd", "--quiet", "-1"),
}


def compressed(kernel: bytes, compression: str) -> bytes:
    """A kernel as the payload of a bzImage."""
    payload = COMPRESSIONS[compression](kernel)
    return payload if compression == "gzip" else payload + struct.pack("<I", len(kernel))


def field(file: bytes, name: str) -> int:
    """A number in a bzImage's setup header."""
    offset, layout = SETUP_HEADER[name]
    return int(struct.unpack_from(f"<{layout}", file, offset)[0])


def with_fields(file: bytes, **fields: int | bytes) -> bytes:
    """A bzImage with other values in its setup header."""
    changed = bytearray(file)
    for name, value in fields.items():
        offset, layout = SETUP_HEADER[name]
        put(changed, offset, layout, value)
    return bytes(changed)


def payload_place(file: bytes) -> int:
    """Where a bzImage's compressed kernel is in the file."""
    return (field(file, "setup_sects") + 1) * 512 + field(file, "payload_offset")


def with_payload(file: bytes, payload: bytes) -> bytes:
    """A bzImage with another compressed kernel. Its own code cannot decompress it."""
    start = payload_place(file)
    # The PE header's sections have to be in the file, however short it becomes.
    file = file[:start] + payload.ljust(len(file) - start, b"\0")
    file += bytes(-len(file) % 16)
    code_len = len(file) - (field(file, "setup_sects") + 1) * 512
    return with_fields(
        file,
        syssize=code_len // 16,
        payload_length=len(payload),
        init_size=max(field(file, "init_size"), code_len),
    )


def bzimage(**fields: int | bytes) -> bytes:
    """A bzImage with an EFI stub's headers; `fields` are other values than good ones."""
    code = bytes(offset // 3 % 256 for offset in range(CODE_LEN))
    file = bytearray(SETUP_LEN) + code
    good: dict[str, int | bytes] = {
        "setup_sects": SETUP_LEN // 512 - 1,
        "syssize": CODE_LEN // 16,
        "boot_flag": 0xAA55,
        # To 0x26c, after the header.
        "jump": 0x6AEB,
        "header": b"HdrS",
        "version": 0x020F,
        "loadflags": 1,
        "initrd_addr_max": 0x7FFFFFFF,
        "kernel_alignment": 2 * MIB,
        "relocatable_kernel": 1,
        "xloadflags": 0x7F,
        "cmdline_size": 2047,
        "payload_offset": PAYLOAD_OFFSET,
        "payload_length": 0x7000,
        "pref_address": LOAD_ADDRESS,
        "init_size": MEMORY_LEN,
    }
    file = bytearray(with_fields(bytes(file), **(good | fields)))
    sections = (Section(b".setup", 512, SETUP_LEN), Section(b".text", SETUP_LEN, len(file)))
    put_pe(file, 0x40, AMD64, sections)
    return bytes(file)
