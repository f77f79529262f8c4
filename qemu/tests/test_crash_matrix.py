# SPDX-License-Identifier: GPL-2.0
"""The core of the crash matrix, in the ordinary kernel; `make crash-matrix` runs all rows."""

from pathlib import Path
from random import Random

import pytest

from harness.matrix.row import Row
from harness.matrix.rows import ROWS
from harness.matrix.run import run_row


@pytest.mark.parametrize("row", [row for row in ROWS if row.core], ids=lambda row: row.name)
async def test_crash_matrix(row: Row, directory: Path, random: Random) -> None:
    assert row.missing() == []
    await run_row(row, directory, random)
