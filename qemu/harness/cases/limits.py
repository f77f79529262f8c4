# SPDX-License-Identifier: GPL-2.0
"""The command line and the initrd that go with a kernel, and the privilege to load it."""

from collections.abc import Iterator

from harness import paths
from harness.cases.case import GOOD, Case
from harness.units import MIB


def limits() -> Iterator[Case]:
    """Command lines and initrds of each length, and a load without the privilege."""
    # As many bytes as the kernel takes, but a few are added.
    yield Case("command line too long with elfcorehdr= added", GOOD(), "x" * 2040)
    yield Case("command line longer than any kernel's", GOOD(), "x" * 4000)
    yield Case("command line with elfcorehdr=", GOOD(), "elfcorehdr=0x1000")
    memory = "init_size" if paths.ARCH == "x86_64" else "image_size"
    large = GOOD(**{memory: 100 * MIB})
    yield Case("initrd that does not fit beside the kernel", large, initrd_len=230 * MIB)
    yield Case("initrd and kernel more than half of memory", large, initrd_len=150 * MIB)
    yield Case("empty initrd", GOOD(), initrd=b"")
    yield Case("no CAP_SYS_BOOT", GOOD(), unprivileged=True)
