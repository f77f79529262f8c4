# SPDX-License-Identifier: GPL-2.0
"""The core of the crash matrix, in the ordinary kernel; `make crash-matrix` runs all rows."""

from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.matrix import sources
from harness.matrix.results import key, surroundings
from harness.matrix.row import Row
from harness.matrix.rows import ROWS
from harness.matrix.run import run_row

# clang 19 puts __crash_kexec() into the crash_kexec() of Linux 6.12 for arm64, so that the hook
# misses the oops, and the note has the registers of the panic() that follows.
MISSED = pytest.mark.xfail(
    paths.ARCH == "arm64",
    raises=AssertionError,
    strict=True,
    reason="the note of an oops has the registers of panic()",
)
CORE = [
    pytest.param(row, id=row.name, marks=[MISSED] if row.name == "oops-crasher" else [])
    for row in ROWS
    if row.core
]


@pytest.mark.parametrize("row", CORE)
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
