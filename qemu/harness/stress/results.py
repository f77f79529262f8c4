# SPDX-License-Identifier: GPL-2.0
"""Results of random crashes, a line of JSON each, which pieces of a long run add up in."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import Enum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

from harness import paths
from harness.stress.drawn import Drawn

PLACE = paths.BUILD / "crash-stress" / f"{paths.RUN}.jsonl"


class Verdict(Enum):
    """What a run has shown."""

    GOOD = "good"
    LOST = "lost"
    """There is no dump."""
    WRONG = "wrong"
    """A check of the dump has failed."""
    VOID = "void"
    """It did not come to the crash: no trial."""


@dataclass(frozen=True)
class Result:
    """The end of one random crash."""

    seed: int
    key: str
    """What it ran on."""
    verdict: str
    found: str
    """What was wrong, or the outcome."""
    seconds: int
    crash: str
    """The crash in words."""

    @classmethod
    def now(cls, drawn: Drawn, verdict: Verdict, found: str, seconds: float) -> Self:
        """The result of a run that has ended now."""
        return cls(drawn.seed, key(), verdict.value, found, round(seconds), str(drawn))

    @property
    def is_trial(self) -> bool:
        """Whether it came to the crash."""
        return self.verdict != Verdict.VOID.value

    def __str__(self) -> str:
        bad = f": {self.found}" if self.verdict != Verdict.GOOD.value else ""
        return f"SEED={self.seed:<10} {self.verdict}{bad} ({self.seconds} s): {self.crash}"


@cache
def key() -> str:
    """The kernel, and the root file system with the module and all programs, in a few digits."""
    tree = (paths.BUILD / "kernel" / paths.TARGET).resolve().name
    digest = sha256(f"{tree} {paths.RUN}".encode())
    digest.update(paths.CAPTURE_INITRD.read_bytes())
    return digest.hexdigest()[:16]


def keep(result: Result, place: Path = PLACE) -> None:
    """Adds a result."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place, "a") as file:
        file.write(json.dumps(asdict(result)) + "\n")


def kept(place: Path = PLACE) -> Iterator[Result]:
    """All results of this kernel, of older code too. Of a seed that ran twice, the last one."""
    if not place.exists():
        return
    found = {}
    for line in place.read_text().splitlines():
        fact = json.loads(line)
        result = Result(**{field.name: fact[field.name] for field in fields(Result)})
        found[result.key, result.seed] = result
    yield from found.values()
