# SPDX-License-Identifier: GPL-2.0
"""docs/crash-matrix.md, from the results of all kernels that the rows ran in."""

import os
import subprocess
import sys

from harness import paths
from harness.crash.scenario import Check
from harness.matrix.checks import checks_of
from harness.matrix.results import RESULTS
from harness.matrix.row import Row

DOCUMENT = paths.TOP / "docs" / "crash-matrix.md"

HEAD = """\
# Crash matrix

Each row kills a guest's kernel in another way, and checks the dump. `make crash-matrix` runs the
rows, and writes this file; `ARCH=` and `KERNEL=` choose the kernel, `ROWS=` some of the rows.
Results are kept below `build/crash-matrix`. A row runs again when the kernel, the module, the
guest's programs, the row or the code that judges it has changed, and its old result is not listed
any more. A row is left out only where the kernel lacks something, which is named. The rows are in
`qemu/harness/matrix/themes`, the kernel is `VARIANT=matrix`; `VARIANT=matrix+rt` is the same with
`PREEMPT_RT`.
"""


def write(rows: tuple[Row, ...]) -> None:
    """Writes the document anew."""
    parts = [HEAD]
    # Rows differ between architectures, so each kernel's are listed by a program of its own.
    parts += [section(path.name) for path in sorted(RESULTS.iterdir()) if path.is_dir()]
    parts.append("\n## What is checked\n\n")
    parts.append(
        "Of a row that ends in a dump, all of these but those that are about few rows:\n\n"
    )
    wordings = {wording(check): None for row in rows for check in checks_of(row)}
    parts += [f"- {words}\n" for words in wordings]
    DOCUMENT.write_text("".join(parts))


def section(target: str) -> str:
    """The part about one kernel; nothing where the kernel is not there to compare with."""
    if not (paths.BUILD / "kernel" / target).exists():
        return ""
    arch = target.partition("-")[0]
    environment = {**os.environ, "ARCH": arch, "TARGET": target, "CAPTURE_TARGET": target}
    program = [sys.executable, "-m", "harness.matrix.section"]
    return subprocess.run(
        program, env=environment, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def wording(check: Check) -> str:
    """What a check is about."""
    return (check.__doc__ or "").partition("\n")[0]
