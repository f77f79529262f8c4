# SPDX-License-Identifier: GPL-2.0
"""The harness' own code, as far as a row's result follows from it."""

import inspect
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

HARNESS = Path(__file__).resolve().parents[1]

# What every row runs with, besides the files of the functions that it names.
PACKAGES = ("checks", "crash", "dump", "guest", "machine", "steps")
FILES = (
    "matrix/checks.py",
    "matrix/row.py",
    "matrix/run.py",
    "matrix/trigger.py",
    "paths.py",
    "units.py",
)


@cache
def shared() -> str:
    """A digest of the code that every row runs with."""
    files = [HARNESS / name for name in FILES]
    for package in PACKAGES:
        files += sorted((HARNESS / package).glob("*.py"))
    return sha256("".join(f"{file.name} {digest(file)}\n" for file in files).encode()).hexdigest()


@cache
def digest(file: Path) -> str:
    """A digest of a file."""
    return sha256(file.read_bytes()).hexdigest()


def of(function: Callable[..., Any]) -> str:
    """A digest of the file that a function of the harness is in."""
    file = Path(inspect.getfile(inspect.unwrap(function))).resolve()
    return digest(file) if file.is_relative_to(HARNESS) else ""
