# SPDX-License-Identifier: GPL-2.0
"""Readers, mappings and the module, which come and go in any order."""

from itertools import pairwise
from pathlib import Path
from random import Random

from harness import paths
from harness.guest.boot import prepared
from harness.guest.kernel import complaints, free_kib, mapped_areas
from harness.guest.vmcore import VMCORE, reload
from harness.images.elfcorehdr import field
from harness.images.prepared_memory import AT, DUMPED, known_memory
from harness.machine.hardware import Hardware
from harness.testing import prepared_only
from harness.units import PAGE


@prepared_only
async def test_nothing_is_left_behind(directory: Path, random: Random) -> None:
    """Readers that are killed, and a mapping that is held when the module should go."""
    memory, *_ = known_memory(random)
    async with prepared(directory, memory, AT, AT, Hardware(cpus=2)) as guest:
        await guest.shell("rmmod rust_kexec")
        before = await mapped_areas(guest)
        await guest.shell(f"insmod {paths.GUEST_MODULE}")
        for _ in range(20):
            moment = random.randrange(1, 40_000)
            await guest.shell(
                f"dd if={VMCORE} of=/dev/null bs=64M 2>/dev/null & reader=$!; "
                f"vmcore time {VMCORE} --map 4194304 >/dev/null & mapper=$!; "
                f"usleep {moment}; kill -9 $reader $mapper 2>/dev/null || true; "
                "wait"
            )
        holder = await guest.spawn("vmcore", "hold", VMCORE, "--len=4194304")
        assert (await guest.run("rmmod", "rust_kexec")).status != 0
        assert (await guest.run("test", "-e", VMCORE)).status == 0
        await guest.shell(
            f"kill {holder['pid']}; while test -e /proc/{holder['pid']}/exe; do :; done"
        )
        # A file that is open is closed for its reader.
        await guest.shell(f"exec 3< {VMCORE}; rmmod rust_kexec; ! cat <&3 2>/dev/null")
        assert await mapped_areas(guest) == before
        assert await complaints(guest) == []


@prepared_only
async def test_mappings_keep_the_module(directory: Path, random: Random) -> None:
    """A process maps the dump and unmaps it while the module is removed, over and over."""
    memory, *_ = known_memory(random)
    # So long that a mapping is being made most of the time. The excluded part is not touched.
    size = 4 << 30
    for place, data in (field(2, 32, size), field(2, 40, size)):
        memory = memory[:place] + data + memory[place + len(data) :]
    start = DUMPED + 5 * PAGE
    parameters = f"exclude={start:#x}-{start + size:#x}"
    async with prepared(directory, memory, AT, AT, Hardware(cpus=2)) as guest:
        await reload(guest, parameters)
        churn = await guest.spawn(
            "vmcore", "churn", VMCORE, f"--offset={7 * PAGE}", f"--len={size}"
        )
        tries = await guest.shell(
            "removed=0 tries=0; while [ $removed -lt 8 ]; do tries=$((tries + 1)); "
            "if rmmod rust_kexec 2>/dev/null; then removed=$((removed + 1)); "
            f"insmod {paths.GUEST_MODULE} {parameters}; fi; done; echo $tries",
            timeout_s=120,
        )
        print(f"the module could be removed 8 times of {int(tries)}")
        assert (await guest.run("kill", str(churn["pid"]))).status == 0
        assert await complaints(guest) == []


@prepared_only
async def test_the_module_leaves_no_memory_behind(directory: Path, random: Random) -> None:
    memory, *_ = known_memory(random)
    async with prepared(directory, memory, AT, AT, Hardware(cpus=1)) as guest:
        free = []
        # The first times the kernel makes page tables and caches that it keeps.
        for repeat in (5, 30, 30, 30):
            await guest.shell(
                f"for i in $(seq {repeat}); do rmmod rust_kexec; insmod {paths.GUEST_MODULE}; "
                f"dd if={VMCORE} of=/dev/null bs=1M 2>/dev/null; "
                f"vmcore time {VMCORE} --map 4194304 >/dev/null; done",
                timeout_s=300,
            )
            free.append(await free_kib(guest))
        # A page each time would be 120 KiB. What the kernel keeps for itself is not lost again.
        lost = [before - after for before, after in pairwise(free)]
        assert min(lost) < 100, free
        assert await complaints(guest) == []
