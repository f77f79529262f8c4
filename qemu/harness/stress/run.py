# SPDX-License-Identifier: GPL-2.0
"""The run of one random crash, and its verdict."""

import asyncio
import logging
import shutil
import time
import traceback
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from harness import paths
from harness.crash.scenario import Step
from harness.guest.guest import Guest
from harness.machine.platform import PLATFORM
from harness.matrix.row import Row
from harness.matrix.run import run_row
from harness.stress.drawn import Drawn, draw, rows
from harness.stress.load import deafen, replace_the_image, wait, work
from harness.stress.results import Result, Verdict

FAILED = paths.BUILD / "crash-stress" / "failed"


def row_of(drawn: Drawn) -> Row:
    """The row of the matrix, with the machine and the load of this crash."""
    row = rows()[drawn.row]
    steps: list[Step] = [
        *([replace_the_image] * drawn.replaced),
        *row.before,
        partial(work, drawn=drawn),
        partial(wait, drawn=drawn),
        *([partial(deafen, drawn=drawn)] * bool(drawn.deaf)),
    ]
    options = f"{row.options} {PLATFORM.nmi_option * drawn.pseudo_nmi}".strip()
    hardware = replace(
        row.hardware, cpus=drawn.cpus, memory_mib=drawn.memory_mib, keeps_memory=True
    )
    return replace(
        row,
        hardware=hardware,
        region=f"crashkernel={drawn.region_mib}M",
        options=options,
        before=tuple(steps),
        cpu=drawn.cpu,
    )


def run(seed: int) -> Result:
    """Runs the crash of a seed to its verdict. What a bad one leaves is kept, all else removed."""
    drawn = draw(seed)
    directory = paths.results("crash-stress", paths.RUN, str(seed))
    log = logging.FileHandler(directory / "qmp.log")
    monitor = logging.getLogger("qemu.qmp")
    monitor.addHandler(log)
    monitor.setLevel(logging.DEBUG)
    start = time.monotonic()
    try:
        verdict, found = _judged(drawn, directory)
    finally:
        monitor.removeHandler(log)
        log.close()
    if verdict == Verdict.GOOD:
        shutil.rmtree(directory)
    else:
        _keep(directory, seed, drawn)
    return Result.now(drawn, verdict, found, time.monotonic() - start)


def _judged(drawn: Drawn, directory: Path) -> tuple[Verdict, str]:
    row = row_of(drawn)
    caused = False

    async def cause(guest: Guest, cpu: int) -> None:
        nonlocal caused
        caused = True
        await row.trigger.cause(guest, cpu)

    noted = replace(row, trigger=replace(row.trigger, cause=cause))
    try:
        asyncio.run(run_row(noted, directory, Random(drawn.seed)))
    # Whatever goes wrong is the verdict.
    except Exception as error:
        (directory / "error").write_text(traceback.format_exc())
        said = f"{type(error).__name__}: {error}".strip().splitlines()[0][:200]
        if not caused:
            return Verdict.VOID, said
        return (Verdict.WRONG if (directory / "vmcore").exists() else Verdict.LOST), said
    return Verdict.GOOD, row.outcome.value


def _keep(directory: Path, seed: int, drawn: Drawn) -> None:
    (directory / "drawn").write_text(f"{drawn}\n{drawn!r}\n")
    place = FAILED / str(seed)
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    directory.rename(place)
