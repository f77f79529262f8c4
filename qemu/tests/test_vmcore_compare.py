# SPDX-License-Identifier: GPL-2.0
"""Our dump and the kernel's own, in one boot: both give the same answers to the same requests."""

from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.crash.run import crashed
from harness.crash.scenario import Scenario
from harness.guest.kernel import complaints
from harness.guest.vmcore import OURS, THEIRS, compare
from harness.machine.hardware import Hardware
from harness.testing import needs_both_files

pytestmark = needs_both_files

REQUESTS = 10_000

# Two nodes, of which the second one has no CPU.
NODES = tuple(
    argument
    for node, size in enumerate(("640M", "384M"))
    for argument in (
        "-object",
        f"memory-backend-ram,id=node{node},size={size}",
        "-numa",
        f"node,nodeid={node},memdev=node{node}" + (",cpus=0-1" if node == 0 else ""),
    )
)

# With memory above 4 GiB, and not much of it where the machine can be told where to put it.
HIGH = {
    "x86_64": Hardware(memory_mib=1024, arguments=("-machine", "max-ram-below-4g=512M")),
    "arm64": Hardware(memory_mib=4096),
}[paths.ARCH]

LAYOUTS = (
    Scenario(
        name="below-4g",
        hardware=Hardware(memory_mib=768),
        command_line="crashkernel=192M",
    ),
    Scenario(
        name="above-4g",
        hardware=HIGH,
        command_line="crashkernel=192M",
    ),
    Scenario(
        name="high-and-low",
        hardware=HIGH,
        command_line="crashkernel=192M,high crashkernel=64M,low",
    ),
    Scenario(
        name="numa-with-holes",
        hardware=Hardware(memory_mib=1024, arguments=NODES),
        # Holes of whole and of odd pages.
        command_line="crashkernel=192M memmap=16M$0x8000000 memmap=12K$0x3001000"
        if paths.ARCH == "x86_64"
        else "crashkernel=192M",
    ),
)


@pytest.mark.long
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
async def test_both_files_are_the_same(layout: Scenario, directory: Path, random: Random) -> None:
    async with crashed(layout, directory) as guest:
        seed = random.getrandbits(32)
        compared = await compare(guest, seed, REQUESTS, timeout_s=1800)
        print(compared)
        assert compared["reads"] == compared["mappings"] == REQUESTS
        sums = await guest.shell(f"sha256sum {OURS} {THEIRS}", timeout_s=1800)
        ours, theirs = (line.split()[0] for line in sums.splitlines())
        print(ours)
        assert ours == theirs
        assert await complaints(guest) == []
