# SPDX-License-Identifier: GPL-2.0
"""`make crash-stress N=1000`: random crashes, until there are results of N; SEED= repeats one."""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from random import SystemRandom

from harness import paths
from harness.stress.results import Result, Verdict, keep, kept, key
from harness.stress.run import FAILED, run
from harness.stress.summary import summary

# More guests at a time wait for each other, and a guest that waits is late.
JOBS_MAX = 2

BAD = {Verdict.LOST.value, Verdict.WRONG.value}


def missing(wanted: int) -> int:
    """The number of crashes that this code has still to survive."""
    return wanted - sum(result.is_trial for result in kept() if result.key == key())


def run_many(count: int, jobs: int) -> Iterator[Result]:
    """Runs so many random crashes, and more for those that do not come to it: twice at most."""
    seeds = (SystemRandom().getrandbits(32) for _ in range(2 * count))
    # A process for each crash: what reads the dumps keeps memory.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, max_tasks_per_child=1) as pool:
        running = {pool.submit(run, next(seeds)) for _ in range(min(count, jobs))}
        left = count - len(running)
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                result = future.result()
                yield result
                left += not result.is_trial
                seed = next(seeds, None) if left > 0 else None
                if seed is not None:
                    running.add(pool.submit(run, seed))
                    left -= 1


def main() -> int:
    """Runs what is asked for; the status says whether every dump was there and right."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crashes", type=int, help="of how many crashes there shall be results")
    parser.add_argument("--seed", type=int, help="runs the crash of this seed, and no other")
    parser.add_argument("--jobs", type=int, default=JOBS_MAX, choices=range(1, JOBS_MAX + 1))
    asked = parser.parse_args()
    single = asked.seed is not None
    current: list[Result] = []
    for result in [run(asked.seed)] if single else run_many(missing(asked.crashes), asked.jobs):
        current.append(result)
        # A crash that somebody has chosen is no random one.
        if not single:
            keep(result)
        print(result, flush=True)
    if not single:
        everything = list(kept())
        current = [result for result in everything if result.key == key()]
        print(summary(current, f"{paths.RUN}, this code"))
        if len(current) < len(everything):
            print(summary(everything, f"{paths.RUN}, this code and older code"))
    bad = [result for result in current if result.verdict in BAD]
    if bad:
        print(f"What bad ones left is in {FAILED}:", *(result.seed for result in bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
