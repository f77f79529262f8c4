# SPDX-License-Identifier: GPL-2.0
"""A bzImage, after the kernel's Documentation/arch/x86/boot.rst."""

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
        "payload_offset": 0x400,
        "payload_length": 0x7000,
        "pref_address": LOAD_ADDRESS,
        "init_size": MEMORY_LEN,
    }
    for name, value in (good | fields).items():
        offset, layout = SETUP_HEADER[name]
        put(file, offset, layout, value)
    sections = (Section(b".setup", 512, SETUP_LEN), Section(b".text", SETUP_LEN, len(file)))
    put_pe(file, 0x40, AMD64, sections)
    return bytes(file)
