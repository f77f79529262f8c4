# SPDX-License-Identifier: GPL-2.0
"""Results of rows, kept below build/crash-matrix so that a run can go on where it ended."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness import paths
from harness.matrix import sources
from harness.matrix.row import Row

RESULTS = paths.BUILD / "crash-matrix"


@dataclass(frozen=True)
class Result:
    """The end of a row in one kernel."""

    row: str
    trigger: str
    context: str
    key: str
    """What it ran on."""
    good: bool
    found: str
    """The outcome, or what was wrong."""
    again: int
    """Runs of which nothing was learned, before this one."""


def key(row: Row) -> str:
    """What the row's result follows from, in a few digits."""
    return sha256(f"{surroundings()} {words(row)}".encode()).hexdigest()[:16]


@cache
def surroundings() -> str:
    """The kernel, the guest's file system with the module, and the harness."""
    tree = (paths.BUILD / "kernel" / paths.TARGET).resolve().name
    files = sha256(paths.CAPTURE_INITRD.read_bytes()).hexdigest()
    return f"{tree} {paths.RUN} {files} {sources.shared()}"


def words(value: Any) -> str:
    """The same text for the same data, in every run."""
    if isinstance(value, partial):
        return f"{words(value.func)}{words(value.args)}{words(value.keywords)}"
    if isinstance(value, Enum):
        return str(value)
    if is_dataclass(value):
        return str([(f.name, words(getattr(value, f.name))) for f in fields(value)])
    if isinstance(value, dict):
        return str([(name, words(part)) for name, part in value.items()])
    if isinstance(value, tuple):
        return str([words(part) for part in value])
    if isinstance(value, frozenset):
        return str(sorted(value))
    if isinstance(value, Callable):  # type: ignore[arg-type]
        closure = getattr(value, "__closure__", None) or ()
        parts = [words(cell.cell_contents) for cell in closure]
        return f"{value.__qualname__}{sources.of(value)}{parts}"
    return repr(value)


def place(target: str, name: str) -> Path:
    """The file of a result."""
    return RESULTS / target / f"{name}.json"


def keep(result: Result) -> None:
    """Writes a result down."""
    path = place(paths.RUN, result.row)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(result), indent=1) + "\n")


def kept(row: Row) -> Result | None:
    """The result of an earlier run, unless something has changed that it follows from."""
    path = place(paths.RUN, row.name)
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    result = Result(**{field.name: found[field.name] for field in fields(Result)})
    return result if result.key == key(row) else None
