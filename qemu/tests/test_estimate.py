# SPDX-License-Identifier: GPL-2.0
"""rkexec estimate, beside what a capture kernel needs."""

import json
from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.crash.scenario import Facts, Scenario
from harness.guest.agent import AgentError
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.images.cpio import archive
from harness.machine.errors import GuestError
from harness.steps.reserving import keep_of_the_reservation
from harness.testing import crash_and_check
from harness.units import MIB

# The most by which an estimate may be too large.
GENEROSITY = 1.5

# What the estimate has for the programs that save the dump.
DUMP_TOOL_MIB = 16


def padded_initrd(directory: Path, random: Random, mib: int) -> bytes:
    """The guest's initrd, and before it a file that does not become smaller.

    Where there is no room for that file, the kernel does not come to the rest.
    """
    initrd = paths.CAPTURE_INITRD.read_bytes()
    if mib == 0:
        return initrd
    (directory / "padding").write_bytes(random.randbytes(mib * MIB))
    padding = archive(directory, ["padding"])
    (directory / "padding").unlink()
    return padding + initrd


async def estimate(guest: Guest) -> int:
    """The bytes that rkexec says are to be reserved."""
    files = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")
    answer = await guest.rkexec("estimate", *files, f"--command-line={CAPTURE}", "--json")
    found = json.loads(answer.check().stdout)["crashkernel"]
    assert isinstance(found, int)
    return found


async def use_a_dump_tools_memory(guest: Guest, facts: Facts) -> None:
    """Takes as much memory as a dump tool may, and writes to it."""
    await guest.shell(f"dd if=/dev/zero of=/dev/null bs={DUMP_TOOL_MIB}M count=1 2>&1")


def crash_with(initrd: bytes, share: float) -> Scenario:
    """A crash with this share of the estimate for the capture kernel."""

    async def send(guest: Guest) -> None:
        await guest.send(paths.GUEST_INITRD, initrd)

    async def shrink(guest: Guest) -> None:
        await keep_of_the_reservation(guest, int(await estimate(guest) * share))

    return Scenario(
        name="estimate",
        command_line="crashkernel=320M",
        prepare=(send, shrink),
        captured=(use_a_dump_tools_memory,),
    )


@pytest.mark.parametrize("padding_mib", [0, 24])
async def test_estimate_suffices(padding_mib: int, directory: Path, random: Random) -> None:
    initrd = padded_initrd(directory, random, padding_mib)
    await crash_and_check(crash_with(initrd, 1), directory, random)


@pytest.mark.parametrize("padding_mib", [0, 24])
async def test_estimate_is_not_generous(padding_mib: int, directory: Path, random: Random) -> None:
    initrd = padded_initrd(directory, random, padding_mib)
    # What is not enough is below the least, which the estimate is then not that much above.
    with pytest.raises((GuestError, AgentError)):
        await crash_and_check(crash_with(initrd, 1 / GENEROSITY), directory, random)
    assert (directory / "capture.log").exists(), "it did not come to the capture kernel"
