# SPDX-License-Identifier: GPL-2.0
"""Arithmetic on ranges of addresses."""

from harness.units import PAGE


def without(piece: range, holes: list[range]) -> list[range]:
    """The pieces of a range that are outside all holes."""
    left = [piece]
    for hole in holes:
        left = (
            [
                rest
                for part in left
                for rest in (
                    range(part.start, min(part.stop, hole.start)),
                    range(max(part.start, hole.stop), part.stop),
                )
                if rest
            ]
            if hole
            else left
        )
    return left


def whole_pages(piece: range) -> range:
    """The pages that lie wholly in a range."""
    return range(-(-piece.start // PAGE) * PAGE, piece.stop // PAGE * PAGE)


def hex_range(piece: range) -> str:
    """A range in the format of /proc/iomem, but half open."""
    return f"{piece.start:#x}..{piece.stop:#x}"
