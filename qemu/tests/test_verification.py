# SPDX-License-Identifier: GPL-2.0
"""docs/verification.md says what both loaders say."""

import re
from pathlib import Path

import pytest

from harness import paths
from harness.commands.verification import documented, found, section

# Addresses and lengths that depend on the kernel's version, the keys and the tools, not on what
# is checked; the host's tests compare them.
NUMBER = re.compile(r"0x[0-9a-f]+( bytes \([\d.]+ [KMG]iB\))?")


@pytest.mark.skipif(paths.TARGET != paths.ARCH, reason="the document is about the default kernel")
async def test_verification(directory: Path) -> None:
    rows = await found(directory)
    _, expected, _ = documented()
    assert NUMBER.sub("N", section(rows)).splitlines() == NUMBER.sub("N", expected).splitlines()
