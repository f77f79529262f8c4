# SPDX-License-Identifier: GPL-2.0
"""The kernel's own header: one field of it wrong at a time."""

from collections.abc import Iterator

from harness import paths
from harness.cases.case import ELF_MACHINE, FORMAT, GOOD, Case
from harness.images.bzimage import compressed, payload_place, with_payload
from harness.images.elf import elf_kernel
from harness.images.layout import flip, patch
from harness.images.pe import optional_header
from harness.units import KIB, MIB

# Headers that do not say what a good kernel's say.
Wrong = dict[str, dict[str, int | bytes]]

BZIMAGE: Wrong = {
    "boot sector's signature 0": {"boot_flag": 0},
    "setup header's signature wrong": {"header": b"HdrX"},
    "boot protocol 2.11": {"version": 0x020B},
    "zImage: LOADED_HIGH not set": {"loadflags": 0},
    "XLF_KERNEL_64 not set": {"xloadflags": 0x7E},
    "XLF_CAN_BE_LOADED_ABOVE_4G not set": {"xloadflags": 0x7D},
    "XLF_5LEVEL not set, on a machine with 5-level paging": {"xloadflags": 0x5F},
    "setup header ends too early": {"jump": 0x10EB},
    "setup_sects beyond the file": {"setup_sects": 0xFF},
    "syssize 0": {"syssize": 0},
    "syssize beyond the file": {"syssize": 0x10000},
    "relocatable_kernel 0": {"relocatable_kernel": 0},
    "kernel_alignment not a power of two": {"kernel_alignment": 3 * MIB},
    "init_size less than the code": {"init_size": 4 * KIB},
    "init_size more than the region": {"init_size": 400 * MIB},
    "init_size more than half of memory": {"init_size": 280 * MIB},
    "pref_address above the region": {"pref_address": 1 << 40},
    "cmdline_size 0": {"cmdline_size": 0},
    "cmdline_size beyond any kernel's": {"cmdline_size": 0xFFFFFFFF},
    "payload beyond the code": {"payload_length": 0x10000},
}

ARM64_IMAGE: Wrong = {
    "magic number wrong": {"magic": b"ARM\0"},
    "image_size 0": {"image_size": 0},
    "image_size less than the file": {"image_size": 4 * KIB},
    "image_size more than the region": {"image_size": 400 * MIB},
    "image_size beyond the address space": {"image_size": (1 << 64) - 1},
    "image_size more than half of memory": {"image_size": 280 * MIB},
    "flags: big-endian": {"flags": 0b1011},
    "text_offset 512 KiB, as before Linux 5.8": {"text_offset": 512 * KIB},
    "text_offset not a multiple of a page": {"text_offset": 0x123},
    "text_offset 2 MiB": {"text_offset": 2 * MIB},
}

HEADERS = {"x86_64": BZIMAGE, "arm64": ARM64_IMAGE}[paths.ARCH]


def headers() -> Iterator[Case]:
    """Kernels with one wrong field in the header, and kernels that were cut or damaged."""
    good = GOOD()
    yield Case(f"a good {FORMAT}", good)
    for name, fields in HEADERS.items():
        yield Case(name, GOOD(**fields))
    if paths.ARCH == "x86_64":
        yield from inner_kernels(good)
    yield Case("cut in the header", good[:60])
    yield Case("cut in the code", good[: len(good) - 4 * KIB])
    yield Case("damaged PE header", patch(good, optional_header(good), b"\0\0"))


def inner_kernels(good: bytes) -> Iterator[Case]:
    """Kernels with another one in them, which is decompressed at load."""
    inner = elf_kernel(ELF_MACHINE)
    packed = with_payload(good, compressed(inner, "gzip"))
    yield Case("with a kernel in it, compressed by gzip", packed)
    end = payload_place(packed) + len(compressed(inner, "gzip"))
    yield Case("a bit changed in that kernel's checksum", flip(packed, end - 8))
    yield Case("a bit changed in that kernel's length", flip(packed, end - 4))
