# SPDX-License-Identifier: GPL-2.0
"""What `make crash-stress` draws, keeps and says; it takes too long to be run here."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness import paths
from harness.matrix.row import Outcome
from harness.stress import results
from harness.stress.drawn import (
    HEED_NO_OTHERS,
    MEMORY_MIB_MAX,
    NEED_NO_LOAD,
    POOL,
    Event,
    draw,
    rows,
)
from harness.stress.results import Result, Verdict, keep, kept
from harness.stress.run import row_of
from harness.stress.summary import bound, summary

SEEDS = range(2000)
# x86_64's own.
NMI = {"nmi", "nmi-unrecovered"}


def test_every_row_of_the_pool_is_there() -> None:
    assert set(POOL) - set(rows()) == (NMI if paths.ARCH == "arm64" else set())
    assert all(row.outcome == Outcome.DUMP for row in rows().values())


def test_a_seed_is_a_crash() -> None:
    drawn = [draw(seed) for seed in SEEDS]
    assert drawn == [draw(seed) for seed in SEEDS]
    assert {one.row for one in drawn} == set(rows())
    assert {1, 16} <= {one.cpus for one in drawn}
    sizes = [one.memory_mib for one in drawn]
    assert min(sizes) < 720 and MEMORY_MIB_MAX - 100 < max(sizes) <= MEMORY_MIB_MAX
    assert {one.event for one in drawn} == set(Event)
    for one in drawn:
        assert 0 <= one.cpu < one.cpus
        assert one.deaf < one.cpus and (not one.deaf or (one.row in HEED_NO_OTHERS and not one.cpu))
        assert one.event != Event.WRITES or one.writers
        assert one.row not in NEED_NO_LOAD or not one.busy + one.writers + one.allocators
        row = row_of(one)
        assert row.trigger_cpu == one.cpu
        assert row.hardware.cpus == one.cpus and row.hardware.memory_mib == one.memory_mib


def result(seed: int, verdict: Verdict) -> Result:
    return Result.now(replace(draw(1), seed=seed), verdict, "found", 1.5)


def test_pieces_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "results.jsonl"
    assert list(kept(place)) == []
    first = [result(1, Verdict.GOOD), result(2, Verdict.LOST)]
    for one in first:
        keep(one, place)
    monkeypatch.setattr(results, "key", lambda: "other code")
    second = [result(2, Verdict.GOOD), result(3, Verdict.VOID)]
    for one in second:
        keep(one, place)
    assert list(kept(place)) == [*first, *second]
    assert Counter(one.key for one in kept(place))["other code"] == 2
    # A seed that was run once more with the same code.
    keep(result(3, Verdict.WRONG), place)
    assert [one.verdict for one in kept(place)] == ["good", "lost", "good", "wrong"]


def test_bound() -> None:
    # From tables of the beta distribution.
    for failures, trials, expected in (
        (0, 1000, 0.0029912),
        (0, 300, 0.0099361),
        (1, 10, 0.394163),
    ):
        assert bound(failures, trials) == pytest.approx(expected, rel=1e-4)
    assert bound(7, 7) == 1.0


def test_summary() -> None:
    good = [result(seed, Verdict.GOOD) for seed in range(299)]
    assert summary(good, "here") == (
        "here: 299 crashes, 0 lost dumps, 0 with wrong contents. With 95 % confidence at most "
        "1.00 % of such crashes end so."
    )
    bad = [result(1, Verdict.LOST), result(2, Verdict.WRONG), result(3, Verdict.VOID)]
    assert summary([*good, *bad], "here").startswith(
        "here: 301 crashes, 1 lost dumps, 1 with wrong contents."
    )
    assert summary(bad[2:], "here") == "here: no crash yet."
