# SPDX-License-Identifier: GPL-2.0
"""The dump as rkdump saves it, beside the whole one."""

import json
from dataclasses import dataclass
from pathlib import Path

from harness import paths
from harness.guest.guest import PATIENCE, Guest

# Without pages of zeros, of files, of programs, and free ones.
LEVEL = 31
PROGRAM = "/tmp/rkdump"
FILE = "/tmp/dump"
NAME = "vmcore.kdump"


@dataclass(frozen=True)
class Saved:
    """What rkdump said of a dump."""

    path: Path
    size: int
    seconds: float
    kept_pages: int
    memory_pages: int


async def send(guest: Guest) -> None:
    """Has the program in a guest."""
    await guest.send(PROGRAM, paths.RKDUMP.read_bytes())
    await guest.shell(f"chmod +x {PROGRAM}")


async def fetch(guest: Guest, file: str, path: Path) -> Path:
    """Copies a file of the guest's, by way of its disk."""
    size = int(await guest.shell(f"stat -c %s {file}"))
    await guest.shell(f"dd if={file} of=/dev/vda bs=1M conv=notrunc,fsync 2>&1")
    with open(guest.machine.disk, "rb") as disk:
        path.write_bytes(disk.read(size))
    return path


async def save(guest: Guest) -> Saved | str:
    """Has rkdump save the dump in the capture kernel, and copies it; or why it could not."""
    await send(guest)
    options = ("-d", str(LEVEL), "--json", "--no-manifest", "--progress", "none")
    finished = await guest.run(PROGRAM, "save", *options, paths.SERVED, FILE, timeout_s=PATIENCE)
    if finished.status != 0:
        return finished.stderr.strip()
    said = json.loads(finished.stdout)
    path = await fetch(guest, FILE, guest.machine.disk.with_name(NAME))
    await guest.shell(f"rm {FILE} {PROGRAM}")
    return Saved(path, said["bytes"], said["seconds"], said["kept_pages"], said["memory_pages"])
