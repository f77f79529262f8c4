# SPDX-License-Identifier: GPL-2.0
"""Decorators that give a test the guest it needs, and the run of a scenario with its checks."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness import paths
from harness.checks.always import ALWAYS
from harness.crash.run import crash_and_save, crashed
from harness.crash.scenario import Check, Scenario
from harness.distro.system import IMAGE
from harness.dump.dump import Dump
from harness.guest.boot import boot
from harness.guest.guest import Guest
from harness.guest.vmcore import HAS_BOTH
from harness.images.signing import Signer
from harness.machine.hardware import Hardware

Test = Callable[..., Awaitable[None]]
Decorator = Callable[[Test], Test]

prepared_only = pytest.mark.skipif(
    paths.ARCH != "x86_64", reason="only x86_64 can be told of memory that it leaves alone"
)

needs_both_files = pytest.mark.skipif(
    not HAS_BOTH, reason="needs a capture kernel with a file of its own: CAPTURE_VARIANT=vmcore"
)


def needs(*options: str) -> pytest.MarkDecorator:
    """Leaves a test out where the kernel was built without one of these, named without CONFIG_."""
    missing = paths.missing(paths.TARGET, options)
    return pytest.mark.skipif(bool(missing), reason=f"the kernel lacks {', '.join(missing)}")


needs_distro = pytest.mark.skipif(
    "stock" not in paths.TARGET.split("-") or not (IMAGE / "root.img").exists(),
    reason="needs the system that make distro installs",
)

needs_rkdump = pytest.mark.skipif(
    not paths.RKDUMP_ON_HOST.exists(), reason="rkdump is not built for this host"
)

needs_signer = pytest.mark.skipif(
    not Signer.trusted("signer").key.exists(), reason="nobody here can sign for this kernel"
)


def in_guest(hardware: Hardware = Hardware(), command_line: str = "crashkernel=256M") -> Decorator:
    """Gives a test, as its argument `guest`, a guest that has booted the production kernel."""
    return _within(lambda directory: boot(directory, hardware, command_line))


def in_capture_kernel(scenario: Scenario = Scenario(name="capture-kernel")) -> Decorator:
    """Gives a test, as its argument `guest`, the capture kernel after a scenario's crash."""
    return _within(lambda directory: crashed(scenario, directory))


def _within(start: Callable[[Path], AbstractAsyncContextManager[Guest]]) -> Decorator:
    def decorate(test: Test) -> Test:
        wanted = inspect.signature(test).parameters

        @functools.wraps(test)
        async def run(directory: Path, **fixtures: Any) -> None:
            if "directory" in wanted:
                fixtures["directory"] = directory
            async with start(directory) as guest:
                await test(guest=guest, **fixtures)

        # pytest takes the fixtures' names from the signature.
        own = inspect.signature(run, follow_wrapped=False).parameters["directory"]
        others = [wanted[name] for name in wanted if name not in ("guest", "directory")]
        run.__signature__ = inspect.Signature([own, *others])  # type: ignore[attr-defined]
        return run

    return decorate


async def crash_and_check(
    scenario: Scenario, directory: Path, random: Random, always: tuple[Check, ...] = ALWAYS
) -> None:
    """Runs a scenario, and removes its dump unless a check fails."""
    facts = await crash_and_save(scenario, directory, random)
    with Dump(directory / "vmcore") as dump:
        for check in (*always, *scenario.checks):
            check(dump, facts)
    dump.path.unlink()
