# SPDX-License-Identifier: GPL-2.0
"""The device tree that QEMU makes for a machine, and changes of it."""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.machine.platform import PLATFORM


def source(machine: str, processors: Sequence[str], *firmware: str) -> str:
    """The source of a machine's device tree; it starts with its version."""
    with tempfile.TemporaryDirectory(prefix="rust_kexec-") as directory:
        tree = Path(directory) / "tree"
        subprocess.run(
            [
                *(PLATFORM.qemu, "-nodefaults", "-display", "none"),
                *("-machine", f"{machine},dumpdtb={tree}", *processors, *firmware),
            ],
            check=True,
        )
        return decompiled(tree.read_bytes())


def decompiled(tree: bytes) -> str:
    """The source of a tree; it starts with its version."""
    return _dtc("dtb", "dts", tree).decode()


def compiled(source: str) -> bytes:
    """The tree of a source, which may have several parts, the later ones changing those before."""
    return _dtc("dts", "dtb", source.encode())


def _dtc(given: str, wanted: str, contents: bytes) -> bytes:
    return subprocess.run(
        ["dtc", "-q", "-I", given, "-O", wanted],
        input=contents,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
