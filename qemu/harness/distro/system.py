# SPDX-License-Identifier: GPL-2.0
"""A machine that boots the system of scripts/distro-image, again and again from one disk."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness import paths
from harness.guest.agent import Agent
from harness.guest.boot import first_hello
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.machine import Machine

IMAGE = paths.BUILD / "distro"

# A system of this size under TCG, on a host that is busy.
PATIENCE = 900

# A disk that the firmware could boot from, and what the kernel is told by the boot loader.
DISK = ("-device", "virtio-blk-pci,drive=root")
ROOT = "root=LABEL=root console=ttyS0"


class DistroMachine(Machine):
    """UEFI, the distribution's kernel, and its initrd."""

    def _kernel(self) -> list[str]:
        return [
            *self._firmware(),
            *("-kernel", str(IMAGE / "vmlinuz"), "-initrd", str(IMAGE / "initrd.img")),
            *("-append", self.command_line),
        ]


class System:
    """The system's disk, and its boots."""

    def __init__(self, directory: Path, memory_mib: int) -> None:
        self.directory = directory
        self.disk = directory / "root.img"
        self.options = f"{ROOT} {(IMAGE / 'options').read_text().strip()}"
        drive = f"file={self.disk},format=raw,if=none,id=root,cache=unsafe,discard=unmap"
        self.hardware = Hardware(
            memory_mib=memory_mib, firmware=True, arguments=("-drive", drive, *DISK)
        )
        # A copy of what has data only: shutil's has zeros for holes.
        image = IMAGE / "root.img"
        subprocess.run(["cp", "--sparse=always", image, self.disk], check=True)

    @asynccontextmanager
    async def boot(self) -> AsyncIterator[Guest]:
        """A guest whose services have started."""
        agent = Agent()
        async with DistroMachine(self.hardware, self.options, self.directory, agent) as machine:
            hello = await first_hello(machine, agent, "the system's agent", PATIENCE)
            yield Guest(machine, agent, hello)

    def extract(self, path: str, to: Path) -> None:
        """Copies a file of a system that is off."""
        self._debugfs(f"dump {path} {to}")

    def _debugfs(self, request: str) -> str:
        # For root only where it is installed, but of use to everybody.
        program = shutil.which("debugfs") or "/usr/sbin/debugfs"
        return subprocess.run(
            [program, "-R", request, self.disk], capture_output=True, check=True, text=True
        ).stdout
