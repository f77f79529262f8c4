# SPDX-License-Identifier: GPL-2.0
"""Figures of several implementations: measured by turns, and printed as medians and ratios."""

import argparse
import statistics
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

Figure = TypeVar("Figure")

RUST_KEXEC = "rust_kexec"
RUST_KEXEC_SHA256 = "the same, SHA-256"
KERNELS_OWN = "the kernel's own"


def options(documentation: str | None, runs: int, what: str) -> argparse.ArgumentParser:
    """A benchmark's command line, described by the first line of its module."""
    assert documentation is not None
    parser = argparse.ArgumentParser(description=documentation.splitlines()[0])
    parser.add_argument("--runs", type=int, default=runs, help=f"{what} (%(default)s)")
    return parser


async def by_turns(
    names: Iterable[str],
    runs: int,
    measure: Callable[[str, int], Awaitable[Figure]],
    warm_up: int = 0,
) -> dict[str, list[Figure]]:
    """Measures each implementation in each run, so that whatever else the host does meets all.

    `measure` is given the name and the number of the run, which is negative in runs that only warm
    up, and whose figures are dropped.
    """
    found: dict[str, list[Figure]] = {name: [] for name in names}
    for run in range(-warm_up, runs):
        for name, figures in found.items():
            figure = await measure(name, run)
            if run >= 0:
                figures.append(figure)
    return found


def spread(figures: Sequence[float], digits: int, unit: str = "", width: int = 0) -> str:
    """The median, and the range in parentheses."""
    return (
        f"{statistics.median(figures):{width}.{digits}f}{unit} "
        f"({min(figures):.{digits}f} to {max(figures):.{digits}f})"
    )


def ratio(figures: Sequence[float], others: Sequence[float]) -> float:
    """The ratio of the medians."""
    return statistics.median(figures) / statistics.median(others)


def show_seconds(
    times: Mapping[str, Sequence[float]], references: Sequence[str] = (KERNELS_OWN,)
) -> None:
    """Prints each implementation's seconds, and their ratios to those of the references."""
    for name, found in times.items():
        ratios = (f"to {other} {ratio(found, times[other]):.2f}" for other in references)
        print(f"  {name:<17} {spread(found, 3, ' s')}, ratio {', '.join(ratios)}", flush=True)
