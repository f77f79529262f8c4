# SPDX-License-Identifier: GPL-2.0
"""The symbols of the guests' kernel at their linked addresses."""

import subprocess
from functools import cache

from harness import paths


@cache
def symbols() -> list[str]:
    """A line for each, as System.map has them: address, kind, name."""
    file = paths.BUILD / "kernel" / paths.TARGET / "System.map"
    if file.exists():
        return file.read_text().splitlines()
    # A distribution's kernel comes without that file.
    command = ("nm", "--numeric-sort", str(paths.VMLINUX))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
