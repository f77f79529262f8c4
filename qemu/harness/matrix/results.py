# SPDX-License-Identifier: GPL-2.0
"""Results of rows, kept below build/crash-matrix so that a run can go on where it ended."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness import paths
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
    """The kernel, the module, the agent's file system and the row, in a few digits."""
    tree = (paths.BUILD / "kernel" / paths.TARGET).resolve().name
    digest = sha256(f"{tree} {paths.RUN} {words(row)}".encode())
    digest.update(paths.CAPTURE_INITRD.read_bytes())
    return digest.hexdigest()[:16]


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
        return f"{value.__qualname__}{[words(cell.cell_contents) for cell in closure]}"
    return repr(value)


def place(target: str, name: str) -> Path:
    """The file of a result."""
    return RESULTS / target / f"{name}.json"


def keep(result: Result) -> None:
    """Writes a result down."""
    path = place(paths.RUN, result.row)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(result), indent=1) + "\n")


def all_of(target: str) -> list[Result]:
    """All results in one kernel."""
    return [
        result
        for path in sorted((RESULTS / target).glob("*.json"))
        if (result := kept(target, path.stem))
    ]


def kept(target: str, name: str) -> Result | None:
    """A result of an earlier run."""
    path = place(target, name)
    if not path.exists():
        return None
    found = json.loads(path.read_text())
    return Result(**{field.name: found[field.name] for field in fields(Result)})
