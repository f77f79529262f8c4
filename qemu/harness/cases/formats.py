# SPDX-License-Identifier: GPL-2.0
"""Other formats than the architecture's own, and files that are no kernel."""

import gzip
from collections.abc import Iterator

from harness import paths
from harness.cases.case import FORMAT, GOOD, MACHINE, Case
from harness.images.arm64_image import arm64_image
from harness.images.bzimage import bzimage
from harness.images.layout import flip
from harness.images.packed import unified, zboot
from harness.images.pe import pe
from harness.units import KIB


def others() -> Iterator[Case]:
    """Kernels in other formats, and files that are no kernel."""
    good = GOOD()
    yield Case("empty file", b"")
    yield Case("text", b"#!/bin/sh\nexec kexec -p /boot/vmlinuz\n" * 40)
    yield Case("initrd in the kernel's place", b"070701" + b"0" * 2000)
    yield Case("zeros", bytes(64 * KIB))
    yield Case(f"{FORMAT}, compressed by gzip", gzip.compress(good, mtime=0))
    # Without compression the bytes are the same with every version of zlib.
    stored = gzip.compress(good, 0, mtime=0)
    yield Case("the same with a bit changed", flip(stored, 24 * KIB))
    yield Case("the same, cut", stored[: 24 * KIB])
    yield Case(f"{FORMAT}, compressed by gzip twice", gzip.compress(stored, mtime=0))
    yield Case("xz", b"\xfd7zXZ\0" + bytes(2000))
    yield Case("unified kernel image", unified(MACHINE, good, b"initrd" * 99, "quiet"))
    yield Case("unified kernel image, cut", unified(MACHINE, good, b"", "")[: 20 * KIB])
    yield Case("EFI program that is no kernel", pe(MACHINE, {b".text": bytes(KIB)}))
    if paths.ARCH == "x86_64":
        yield Case("arm64 Image", arm64_image())
    else:
        yield Case("bzImage", bzimage())
        yield Case("EFI zboot (vmlinuz.efi)", zboot(good))
