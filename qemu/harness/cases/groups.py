# SPDX-License-Identifier: GPL-2.0
"""The groups of docs/verification.md, in its order."""

from pathlib import Path

from harness.cases.case import Group
from harness.cases.elf import elf
from harness.cases.formats import others
from harness.cases.headers import headers
from harness.cases.limits import limits
from harness.cases.signatures import locked, signatures, unenforced


def groups(directory: Path) -> list[Group]:
    """All groups; keys are made in this directory."""
    return [
        Group("The kernel's own header", "by default", list(headers())),
        Group("Other formats", "by default", list(others())),
        Group("ELF", "by default", list(elf())),
        Group("What goes with the kernel", "by default", list(limits())),
        Group("Signatures, by default", "by default", list(unenforced(directory))),
        Group("Signatures, required", "signatures", list(signatures(directory))),
        Group("Lockdown, mode confidentiality", "lockdown", list(locked(directory))),
    ]
