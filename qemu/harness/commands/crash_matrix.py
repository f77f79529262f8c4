# SPDX-License-Identifier: GPL-2.0
"""`make crash-matrix`: runs the rows that have no result yet, and writes docs/crash-matrix.md."""

import asyncio
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from random import Random

from harness import paths
from harness.crash.scenario import BadMoment
from harness.machine.errors import NotBooted, QemuCrashed
from harness.matrix import document
from harness.matrix.results import Result, keep, kept, key, place
from harness.matrix.row import Row
from harness.matrix.rows import ROWS
from harness.matrix.run import run_row
from harness.matrix.section import outcome

# Runs of a row until one tells something.
RUNS_MAX = 5


def result_of(row: Row) -> Result:
    """Runs a row to its end."""
    directory = paths.results("crash-matrix", paths.RUN, row.name)
    for again in range(RUNS_MAX):
        try:
            asyncio.run(run_row(row, directory, Random(f"{row.name} {again}")))
        except (BadMoment, NotBooted, QemuCrashed) as error:
            last = str(error)
        # Whatever goes wrong in a row is its result, and the others run.
        except Exception as error:
            (directory / "error").write_text(traceback.format_exc())
            said = f"{type(error).__name__}: {error}".splitlines()[0][:160]
            return made(row, False, said, again)
        else:
            return made(row, True, row.outcome.value, again)
    return made(row, False, last.splitlines()[0], RUNS_MAX)


def made(row: Row, good: bool, found: str, again: int) -> Result:
    """A result of a row that has ended now."""
    return Result(row.name, row.trigger.name, row.context, key(row), good, found, again)


@contextmanager
def claimed(row: Row) -> Iterator[bool]:
    """Whether no other run has this row: several may go on side by side."""
    path = place(paths.RUN, row.name).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def main() -> int:
    """Runs the rows that the argument, a pattern, is found in; the status says if all are good."""
    wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    failed = 0
    for row in ROWS:
        if not wanted.search(row.name):
            continue
        missing = row.missing()
        if missing:
            place(paths.RUN, row.name).unlink(missing_ok=True)
            print(f"{row.name:30} left out: no {', '.join(missing)}", flush=True)
            continue
        with claimed(row) as mine:
            old = kept(row)
            if not mine or (old is not None and old.good):
                continue
            start = time.monotonic()
            result = result_of(row)
            keep(result)
            failed += not result.good
            seconds = time.monotonic() - start
            print(f"{row.name:30} {outcome(result)} ({seconds:.0f} s)", flush=True)
    document.write(ROWS)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
