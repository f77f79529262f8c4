# SPDX-License-Identifier: GPL-2.0
"""docs/crash-matrix.md, from the results of all kernels that the rows ran in."""

from harness import paths
from harness.crash.scenario import Check
from harness.matrix.checks import checks_of
from harness.matrix.results import RESULTS, Result, all_of
from harness.matrix.row import Row

DOCUMENT = paths.TOP / "docs" / "crash-matrix.md"

HEAD = """\
# Crash matrix

Each row kills a guest's kernel in another way, and checks the dump. `make crash-matrix` runs the
rows, and writes this file; `ARCH=` and `KERNEL=` choose the kernel, `ROWS=` some of the rows.
Results are kept below `build/crash-matrix`, and a row runs again when the kernel, the module or the
row has changed. Rows are listed for a kernel only if they ran in it. The rows are in
`qemu/harness/matrix/themes`, the kernel is `VARIANT=matrix`.
"""


def write(rows: tuple[Row, ...]) -> None:
    """Writes the document anew."""
    targets = sorted(path.name for path in RESULTS.iterdir() if path.is_dir())
    parts = [HEAD]
    for target in targets:
        # Rows of another architecture come last: only its own run knows their order.
        names = [row.name for row in rows]
        found = sorted(
            all_of(target),
            key=lambda result: names.index(result.row) if result.row in names else len(names),
        )
        good = sum(result.good for result in found)
        parts.append(f"\n## {target}\n\n{good} of the {len(found)} rows that ran are good.\n\n")
        parts.append("| row | trigger | context | result |\n|---|---|---|---|\n")
        parts += [
            f"| {result.row} | {result.trigger} | {result.context} | {outcome(result)} |\n"
            for result in found
        ]
    parts.append("\n## What is checked\n\n")
    parts.append(
        "Of a row that ends in a dump, all of these but those that are about few rows:\n\n"
    )
    wordings = {wording(check): None for row in rows for check in checks_of(row)}
    parts += [f"- {words}\n" for words in wordings]
    DOCUMENT.write_text("".join(parts))


def wording(check: Check) -> str:
    """What a check is about."""
    return (check.__doc__ or "").partition("\n")[0]


def outcome(result: Result) -> str:
    """A result in a cell of the table."""
    if result.good:
        return result.found
    return f"**failed**: {result.found}".replace("|", "\\|")
