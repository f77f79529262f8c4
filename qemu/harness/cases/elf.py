# SPDX-License-Identifier: GPL-2.0
"""ELF files: a good vmlinux, and ones with a single thing wrong."""

from collections.abc import Iterator

from harness import paths
from harness.cases.case import ELF_MACHINE, Case
from harness.images.arm64_image import arm64_image
from harness.images.elf import Segment, elf_kernel
from harness.images.layout import LOAD_ADDRESS, patch
from harness.units import KIB, MIB


def elf() -> Iterator[Case]:
    """vmlinux, and what can be wrong with one."""

    def vmlinux(*segments: Segment, **fields: int) -> bytes:
        if paths.ARCH == "arm64":
            # It is entered where its memory starts.
            fields = {"entry": LOAD_ADDRESS} | fields
        contents = elf_kernel(ELF_MACHINE, segments or (Segment(),), **fields)
        if paths.ARCH == "arm64":
            # The kernel's memory starts with the header of an Image.
            contents = patch(contents, Segment().offset, arm64_image()[:64])
        return contents

    yield Case("vmlinux", vmlinux())
    yield Case("vmlinux for another processor", elf_kernel(40))
    yield Case("ELF file of 32 bits", vmlinux(elf_class=1))
    yield Case("ELF object file", vmlinux(kind=1))
    yield Case("vmlinux, cut", vmlinux()[: 8 * KIB])
    yield Case("entry point outside all segments", vmlinux(entry=0x1000))
    yield Case("segment with more contents than memory", vmlinux(Segment(memory_len=4 * KIB)))
    yield Case("segment beyond the address space", vmlinux(Segment(memory_len=(1 << 64) - 1)))
    yield Case("segments that overlap", vmlinux(Segment(), Segment(physical=17 * MIB)))
    yield Case("no segment", vmlinux(Segment(kind=4)))
