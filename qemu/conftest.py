# SPDX-License-Identifier: GPL-2.0
"""Options and fixtures of the scenarios."""

import os
import re
from pathlib import Path
from random import Random, SystemRandom

import pytest

from harness import paths
from harness.units import GIB

# What a guest needs, with what reads its dump. Of the memory that a guest has it touches a part.
MEMORY_OF_A_GUEST = 2 * GIB

pytest.register_assert_rewrite("harness.checks")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the tests' own marks known."""
    config.addinivalue_line("markers", "long: takes minutes, and is started first")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds what a person may choose for a run."""
    parser.addoption(
        "--seed",
        type=int,
        default=SystemRandom().getrandbits(32),
        help="replays the random choices of the run that printed this seed",
    )
    parser.addoption(
        "--stress-seconds",
        type=int,
        default=25,
        help="how long processes load and unload at the same time in the stress",
    )
    parser.addoption(
        "--reboots",
        type=int,
        default=3,
        help="how many times in a row a guest reboots without firmware (%(default)s)",
    )
    parser.addoption(
        "--flips",
        type=int,
        default=0,
        help="how many random bits are flipped, each in a guest of its own",
    )
    parser.addoption(
        "--every-level",
        action="store_true",
        help="filters dumps by each of makedumpfile's levels, which takes minutes",
    )


def pytest_xdist_auto_num_workers() -> int:
    """As many guests at a time as there are CPUs, and memory for.

    There are two at least: one that waits for something leaves the host to the other.
    """
    cpus = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(2, min(cpus, memory // MEMORY_OF_A_GUEST))


def pytest_report_header(config: pytest.Config) -> str:
    """The seed, by which the run's random choices can be made again."""
    return f"random choices: --seed={config.getoption('--seed')}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each flip that was asked for."""
    if "flip_number" in metafunc.fixturenames:
        metafunc.parametrize("flip_number", range(metafunc.config.getoption("--flips")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the longest tests first, so that no worker is left alone with one at the end.

    Refuses tests that would write to the same directory, because they may run at the same time.
    """
    found: dict[tuple[str, str], str] = {}
    for item in items:
        other = found.setdefault(place(item), item.nodeid)
        if other != item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} has the directory of {other}: rename one")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """This test's random choices, whichever other tests run."""
    return Random(f"{request.config.getoption('--seed')} {request.node.name}")


@pytest.fixture
def directory(request: pytest.FixtureRequest) -> Path:
    """This test's own directory for logs and the dump."""
    return paths.results("test", paths.RUN, *place(request.node))


def place(test: pytest.Item) -> tuple[str, str]:
    """The directory of a test's module and the directory in it that the test alone has."""
    names = (test.path.stem, test.name)
    module, name = (re.sub(r"\W+", "-", it.removeprefix("test_")).strip("-") for it in names)
    return module, name
