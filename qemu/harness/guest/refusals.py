# SPDX-License-Identifier: GPL-2.0
"""Requests that the module refuses."""

import re
from collections.abc import Sequence

from harness.guest.agent import Finished
from harness.guest.guest import Guest


def assert_refused(finished: Finished, errno: str, facts: Sequence[str]) -> None:
    """One sentence on standard error with the errno's name and the facts, and a non-zero exit."""
    assert finished.status > 0, finished
    assert finished.stdout == ""
    lines = finished.stderr.splitlines()
    assert len(lines) == 1, finished.stderr
    assert lines[0].startswith("rkexec: ")
    assert lines[0].endswith(f"({errno})"), lines[0]
    for fact in facts:
        assert re.search(fact, lines[0]), (fact, lines[0])


async def refuse(guest: Guest, argv: Sequence[str], errno: str, *facts: str) -> None:
    """A refusal that leaves the module as it was."""
    before = await guest.status()
    assert_refused(await guest.run(*argv), errno, facts)
    assert await guest.status() == before
