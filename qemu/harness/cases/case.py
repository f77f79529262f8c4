# SPDX-License-Identifier: GPL-2.0
"""One load of one file, and the architecture's own format."""

from dataclasses import dataclass

from harness import paths
from harness.images.arm64_image import arm64_image
from harness.images.bzimage import bzimage
from harness.images.pe import AMD64, ARM64


@dataclass(frozen=True)
class Case:
    """One load, and the name of it in the document."""

    name: str
    kernel: bytes
    command_line: str = "console=ttyS0"
    initrd: bytes | None = None
    """Contents of the initrd; None for the guest's own."""
    initrd_len: int | None = None
    """Length of an initrd of zeros, in place of `initrd`."""
    signature: bytes | None = None
    initrd_signature: bytes | None = None
    unprivileged: bool = False


@dataclass(frozen=True)
class Group:
    """Cases that meet both loaders in one state."""

    title: str
    state: str
    cases: list[Case]


# Each has the architecture's own format in all that is the same for both.
GOOD = {"x86_64": bzimage, "arm64": arm64_image}[paths.ARCH]
FORMAT = {"x86_64": "bzImage", "arm64": "Image"}[paths.ARCH]
MACHINE = {"x86_64": AMD64, "arm64": ARM64}[paths.ARCH]
ELF_MACHINE = {"x86_64": 62, "arm64": 183}[paths.ARCH]
