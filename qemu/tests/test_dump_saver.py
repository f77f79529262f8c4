# SPDX-License-Identifier: GPL-2.0
"""rkdump in a capture kernel that has little memory, to a device, and where there is no room."""

import json
import subprocess
from pathlib import Path

import pytest
from drgn import Program
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_printk_records

from harness import paths
from harness.crash.run import crashed
from harness.crash.scenario import Scenario
from harness.dump.dump import Dump, text
from harness.guest.guest import PATIENCE, Guest
from harness.guest.loading import CAPTURE
from harness.machine.hardware import Hardware
from harness.testing import needs_rkdump
from harness.verdict import saver
from harness.verdict.saver import PROGRAM

pytestmark = needs_rkdump

DEVICE = "/dev/vda"
INCOMPLETE = 3

# Debian's kernel needs more for itself, whatever saves the dump, and so does one with large pages.
LARGE = "stock" in paths.TARGET.split("-") or paths.has(paths.TARGET, "ARM64_64K_PAGES")
MEMORY_MIB = 128 if LARGE else 96


def scenario(cpus: int) -> Scenario:
    """A crash whose capture kernel has this number of CPUs, and little memory."""
    return Scenario(
        name=f"saved-by-{cpus}",
        hardware=Hardware(cpus=4, memory_mib=1024),
        command_line=f"crashkernel={MEMORY_MIB}M",
        capture_command_line=CAPTURE.replace("nr_cpus=1", f"nr_cpus={cpus}"),
    )


async def save(guest: Guest, target: str, *options: str, status: int = 0) -> str:
    """Saves the dump, asserts how that ends, and returns what was said."""
    finished = await guest.run(
        *(PROGRAM, "save", "--json", *options, paths.SERVED, target), timeout_s=PATIENCE
    )
    assert finished.status == status, finished
    return finished.stdout if status == 0 else finished.stderr


def check(path: Path) -> None:
    """The dump says what happened."""
    with Dump(path) as dump:
        assert dump.panic_message == "sysrq triggered crash"
        functions = [frame.name for frame in dump.crashed_thread.stack_trace()]
        assert "sysrq_handle_crash" in functions, functions


@pytest.mark.parametrize("cpus", [1, 4])
async def test_to_a_device(directory: Path, cpus: int) -> None:
    """The device is written only when it was prepared, and the dump is found on it afterwards."""
    async with crashed(scenario(cpus), directory) as guest:
        await saver.send(guest)
        assert "rkdump format" in await save(guest, DEVICE, status=1)
        await guest.shell(f"{PROGRAM} format --force {DEVICE}")
        said = json.loads(await save(guest, DEVICE))
        # There may not be memory for one on each CPU.
        assert (said["threads"] > 1) == (cpus > 1) and not said["unfiltered"], said
        assert said["kept_pages"] < said["memory_pages"] / 2, said
        disk = guest.machine.disk.rename(directory / "disk")
    listed = subprocess.run(
        [paths.RKDUMP_ON_HOST, "list", disk], check=True, capture_output=True, text=True
    )
    assert "complete" in listed.stdout and "incomplete" not in listed.stdout, listed
    out = directory / "extracted"
    subprocess.run([paths.RKDUMP_ON_HOST, "extract", disk, out], check=True, capture_output=True)
    check(out)
    disk.unlink()
    out.unlink()


async def test_no_room(directory: Path) -> None:
    """Of a dump that does not fit, what fits can be opened, and says that it is not all."""
    async with crashed(scenario(1), directory) as guest:
        await saver.send(guest)
        whole = json.loads(await save(guest, "/tmp/whole", "--no-manifest"))["bytes"]
        await guest.shell(
            f"rm /tmp/whole; mkdir /room; mount -t tmpfs -o size={whole * 3 // 4} tmpfs /room"
        )
        said = await save(guest, "/room/part", "--no-manifest", status=INCOMPLETE)
        assert "marked as incomplete" in said, said
        part = await saver.fetch(guest, "/room/part", directory / "part")
    program = Program()
    program.set_core_dump(part)
    # Modules' memory comes after the rest of the kernel's, and may be missing.
    program.load_debug_info([paths.VMLINUX])
    log = [record.text.decode() for record in get_printk_records(program)]
    assert "Kernel panic - not syncing: sysrq triggered crash" in log
    assert "agent" in [text(task.comm) for task in for_each_task(program)]
    part.unlink()
