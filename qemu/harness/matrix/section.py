# SPDX-License-Identifier: GPL-2.0
"""The part of docs/crash-matrix.md about one kernel, as a program that prints it."""

from harness import paths
from harness.matrix.results import Result, kept
from harness.matrix.rows import ROWS


def main() -> None:
    """Prints the rows that ran, those that are left out, and those without a result."""
    left_out = {row.name: missing for row in ROWS if (missing := row.missing())}
    results = {row.name: kept(row) for row in ROWS if row.name not in left_out}
    found = [result for result in results.values() if result is not None]
    good = sum(result.good for result in found)
    print(f"\n## {paths.TARGET}\n\n{good} of the {len(found)} rows that ran are good.\n")
    print("| row | trigger | context | result |\n|---|---|---|---|")
    for result in found:
        print(f"| {result.row} | {result.trigger} | {result.context} | {outcome(result)} |")
    if left_out:
        print("\nLeft out, because this kernel lacks:\n")
    for name, missing in left_out.items():
        print(f"- {name}: {', '.join(missing).replace('|', ' or ')}")
    without = [name for name, result in results.items() if result is None]
    if without:
        print(f"\nNot run in this state of the code: {', '.join(without)}.")


def outcome(result: Result) -> str:
    """A result in a cell of the table."""
    if result.good:
        return result.found
    return f"**failed**: {result.found}".replace("|", "\\|")


if __name__ == "__main__":
    main()
