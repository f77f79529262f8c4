# SPDX-License-Identifier: GPL-2.0
"""An arm64 Image, after the kernel's Documentation/arch/arm64/booting.rst."""

from harness.images.layout import CODE_LEN, MEMORY_LEN, put
from harness.images.pe import ARM64, pe

# struct arm64_image_header.
ARM64_HEADER = {
    "text_offset": (8, "Q"),
    "image_size": (16, "Q"),
    "flags": (24, "Q"),
    "magic": (56, "4s"),
}


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
        put(file, offset, layout, value)
    return bytes(file)
