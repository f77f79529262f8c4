# SPDX-License-Identifier: GPL-2.0
"""What a number of random crashes says about those that did not run."""

from collections.abc import Sequence
from math import comb

from harness.stress.results import Result, Verdict

DOUBT = 0.05


def bound(failures: int, trials: int) -> float:
    """The highest probability of a failure that so few failures leave possible, at 95 % confidence.

    That of Clopper and Pearson, from one side; without a failure about 3 / trials (rule of three).
    """

    def chance(probability: float) -> float:
        """That of so few failures, if each trial fails with this probability."""
        return sum(
            comb(trials, number) * probability**number * (1 - probability) ** (trials - number)
            for number in range(failures + 1)
        )

    if failures >= trials:
        return 1.0
    low, high = 0.0, 1.0
    # Each step halves what is between the two.
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if chance(middle) > DOUBT else (low, middle)
    return high


def summary(results: Sequence[Result], where: str) -> str:
    """A sentence about these results."""
    trials = [result for result in results if result.is_trial]
    if not trials:
        return f"{where}: no crash yet."
    lost = sum(result.verdict == Verdict.LOST.value for result in trials)
    wrong = sum(result.verdict == Verdict.WRONG.value for result in trials)
    most = 100 * bound(lost + wrong, len(trials))
    return (
        f"{where}: {len(trials)} crashes, {lost} lost dumps, {wrong} with wrong contents. With "
        f"95 % confidence at most {most:.2f} % of such crashes end so."
    )
