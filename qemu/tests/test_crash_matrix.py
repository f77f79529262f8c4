# SPDX-License-Identifier: GPL-2.0
"""The core of the crash matrix, in the ordinary kernel; `make crash-matrix` runs all rows."""

from pathlib import Path
from random import Random

import pytest

from harness.matrix import sources
from harness.matrix.results import key, surroundings
from harness.matrix.row import Row
from harness.matrix.rows import ROWS
from harness.matrix.run import run_row


@pytest.mark.parametrize("row", [row for row in ROWS if row.core], ids=lambda row: row.name)
async def test_crash_matrix(row: Row, directory: Path, random: Random) -> None:
    assert row.missing() == []
    await run_row(row, directory, random)


@pytest.mark.parametrize("part", ["shared", "of"])
def test_key_covers_the_code(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is old when the code that every row runs with has changed, or the row's own."""
    [row] = [row for row in ROWS if row.name == "sysrq"]
    first = key(row)
    monkeypatch.setattr(sources, part, lambda *_: "other code")
    surroundings.cache_clear()
    assert key(row) != first
    monkeypatch.undo()
    surroundings.cache_clear()
    assert key(row) == first
