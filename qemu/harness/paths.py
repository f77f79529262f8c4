# SPDX-License-Identifier: GPL-2.0
"""Where the build leaves what the harness uses."""

import os
from pathlib import Path

ARCH = os.environ.get("ARCH", "x86_64")

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"

GUEST = BUILD / "guest" / ARCH
KERNEL = GUEST / "vmlinuz"
PRODUCTION_INITRD = GUEST / "production.cpio.zst"

# With debug information, for the reader of the dump.
VMLINUX = BUILD / "kernel" / ARCH / "vmlinux"
MODULE = TOP / "rust_kexec" / "rust_kexec.ko"

# The same files inside the production guest.
GUEST_KERNEL = "/boot/vmlinuz"
GUEST_INITRD = "/boot/initrd"
GUEST_MODULE = "/lib/rust_kexec.ko"


def results(*names: str) -> Path:
    """An empty directory below build/ for one run's logs and dump."""
    path = BUILD.joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        if not old.is_dir():
            old.unlink()
    return path
