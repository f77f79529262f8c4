# SPDX-License-Identifier: GPL-2.0
"""Archives as the kernel unpacks them into its first root file system."""

import subprocess
from collections.abc import Iterable
from pathlib import Path


def archive(root: Path, names: Iterable[str]) -> bytes:
    """The files and directories of these names below `root`, which root owns there."""
    return subprocess.run(
        ["cpio", "--quiet", "--create", "--format=newc", "--owner=+0:+0", "--reproducible"],
        cwd=root,
        input="".join(f"{name}\n" for name in names).encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
