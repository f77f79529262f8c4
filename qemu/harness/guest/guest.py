# SPDX-License-Identifier: GPL-2.0
"""A booted guest, which a test has load, crash, and give its dump."""

import os
import shlex
from pathlib import Path
from typing import Any

from harness import paths
from harness.guest.agent import Agent, Finished, Hello
from harness.guest.loading import CAPTURE, KEXEC_FILE_UNLOAD, RKEXEC_UNLOAD, kexec_file_load, rkexec
from harness.guest.status import Status
from harness.machine.errors import GuestError, NotBooted
from harness.machine.machine import PANIC_ENDED, Machine
from harness.units import MIB

# Seconds to wait for something that takes a few: TCG on a busy two-core host is slow.
PATIENCE = 300

FIRST_LINE = r"Linux version "
FIRST_PROCESS = r"Run /init as init process"
# An x86_64 kernel has executed code that another of its CPUs was patching.
MET_A_PATCH = r"Oops: int3: "


class Guest:
    """A guest whose production kernel has said hello."""

    def __init__(self, machine: Machine, agent: Agent, hello: Hello) -> None:
        self.machine = machine
        self.agent = agent
        self.hello = hello
        # The number of the console's first line of the crash.
        self.crash_line = 0
        self.capture_command_line = CAPTURE

    async def run(self, *argv: str, timeout_s: int = 60) -> Finished:
        """Runs a program in the guest to its end."""
        return await self.machine.until(
            self.agent.run(*argv, timeout_s=timeout_s), " ".join(argv), timeout_s + 30
        )

    async def shell(self, script: str, timeout_s: int = 60) -> str:
        """The output of a shell script, which must succeed."""
        return (await self.run("sh", "-ec", script, timeout_s=timeout_s)).check().stdout

    async def spawn(self, *argv: str) -> dict[str, Any]:
        """Starts a program that stays, and returns its ready line."""
        return await self.machine.until(
            self.agent.spawn(*argv, timeout_s=PATIENCE), " ".join(argv), PATIENCE + 30
        )

    async def read(self, path: str) -> str:
        """A file's text."""
        return await self.machine.until(self.agent.read(path), path, PATIENCE)

    async def write(self, path: str, data: str) -> None:
        """Writes to a file, without a thread or a program for it."""
        await self.machine.until(self.agent.write(path, data), path, PATIENCE)
        # The agent answers before it writes, and what it is asked next after that.
        await self.read("/proc/uptime")

    async def send(self, path: str, contents: bytes) -> None:
        """Writes a file of the guest's, which it finds at the start of its disk."""
        with open(self.machine.disk, "r+b") as disk:
            disk.write(contents)
        blocks = -(-len(contents) // MIB)
        await self.shell(
            f"dd if=/dev/vda of={path} bs=1M count={blocks} iflag=direct 2>&1; "
            f"truncate -s {len(contents)} {path}"
        )

    async def rkexec(self, *arguments: str) -> Finished:
        """Runs rkexec with these arguments."""
        return await self.run("rkexec", *arguments)

    async def load(self, command_line: str = CAPTURE, *options: str) -> None:
        """Loads and arms the capture kernel."""
        self.capture_command_line = command_line
        (await self.run(*rkexec(command_line=command_line), *options)).check()

    async def unload(self) -> None:
        """Unloads the capture kernel."""
        (await self.run(*RKEXEC_UNLOAD)).check()

    async def load_by_the_kernels_own(self, command_line: str = CAPTURE) -> None:
        """Loads the capture kernel by kexec_file_load(2)."""
        (await self.run(*kexec_file_load(command_line=command_line))).check()

    async def unload_by_the_kernels_own(self) -> None:
        """Unloads what that has loaded."""
        (await self.run(*KEXEC_FILE_UNLOAD)).check()

    async def status(self) -> Status:
        """The module's status."""
        answer = await self.rkexec("--status", "--json")
        # As with kexec, the exit status tells whether an image is loaded.
        if answer.status not in (0, 1):
            answer.check()
        return Status.parse(answer.stdout)

    async def crash_image_is_loaded(self) -> bool | None:
        """Whether the kernel sees a crash image, ours or its own; None where it knows of none."""
        if not paths.has(paths.TARGET, "CRASH_DUMP"):
            return None
        return (await self.read("/sys/kernel/kexec_crash_loaded")).strip() == "1"

    async def crash(self) -> None:
        """Panics the production kernel."""
        await self.crash_by_writing("/proc/sysrq-trigger", "c")

    async def crash_all_cpus(self) -> None:
        """Panics the production kernel on all CPUs at once."""
        await self.shell(f"insmod {paths.GUEST_PANIC_AT_ONCE}")
        await self.crash_by_writing("/sys/module/panic_at_once/parameters/now", "1")

    async def crash_by_nmi(self) -> None:
        """Panics the production kernel by an NMI that all CPUs handle at once.

        Its command line must say that it panics, and that all CPUs get the machine's NMI.
        """
        await self.shell(
            f"insmod {paths.GUEST_PANIC_AT_ONCE}; echo 1 > /sys/module/panic_at_once/parameters/nmi"
        )
        self.crash_line = len(self.machine.console.lines)
        await self.machine.execute("inject-nmi")

    async def crash_by_running(self, *argv: str) -> None:
        """Runs a program that panics the production kernel."""
        program = f"read -r _ < /tmp/go; {shlex.join(argv)}"
        await self.shell(f"mkfifo /tmp/go; ({program}) </dev/null >/dev/null 2>&1 &")
        await self.crash_by_writing("/tmp/go", "1\n")

    async def crash_by_writing(self, path: str, data: str) -> None:
        """Writes to a file what kills the kernel."""
        self.crash_line = len(self.machine.console.lines)
        await self.machine.until(self.agent.write(path, data), "the agent's last answer", PATIENCE)

    async def captured(self, seconds: float = PATIENCE) -> Hello:
        """Waits for the capture kernel's agent."""
        try:
            hello = await self.machine.until(
                self.agent.hello(), "the capture kernel's agent", seconds
            )
        except GuestError as error:
            if self._capture_kernel_hung_with_several_cpus():
                raise NotBooted(str(error)) from error
            raise
        if hello.role != "capture":
            raise GuestError(f"the kernel that came up after the crash says {hello}")
        return hello

    async def rebooted(self, seconds: float = PATIENCE) -> Hello:
        """Waits for the agent of the kernel that was entered without firmware."""
        try:
            return await self.machine.until(self.agent.hello(), "the next kernel's agent", seconds)
        except GuestError as error:
            console = self.machine.console
            met_a_patch = console.find(MET_A_PATCH, self.crash_line) is not None
            if met_a_patch and console.find(FIRST_PROCESS, self.crash_line) is None:
                raise NotBooted(str(error)) from error
            raise

    def _capture_kernel_hung_with_several_cpus(self) -> bool:
        """Whether it began to boot, with more than one CPU, and its first process never came."""
        console = self.machine.console
        return (
            self.machine.hardware.cpus > 1
            and "nr_cpus=1" not in self.capture_command_line
            and console.find(FIRST_LINE, self.crash_line) is not None
            and console.find(FIRST_PROCESS, self.crash_line) is None
            and console.find(PANIC_ENDED, self.crash_line) is None
        )

    async def save_vmcore(self, limit: int | None = None) -> Path:
        """Copies the module's file, or its start, from the capture kernel to the file `vmcore`."""
        size = int(await self.shell(f"stat -c %s {paths.SERVED}"))
        if limit is not None:
            size = min(size, limit)
        disk = self.machine.disk
        if size > disk.stat().st_size:
            raise GuestError(f"{paths.SERVED} has {size} bytes, more than memory and its headers")
        await self.shell(
            f"dd if={paths.SERVED} of=/dev/vda bs=1M count={-(-size // MIB)} oflag=direct "
            "conv=notrunc,fsync 2>&1",
            timeout_s=PATIENCE + self.machine.hardware.memory_mib // 8,
        )
        os.truncate(disk, size)
        return disk.rename(disk.with_name("vmcore"))

    def split_console(self) -> None:
        """Writes production.log and capture.log, one for each kernel's part of the console."""
        console, directory = self.machine.console, self.machine.directory
        border = console.find(FIRST_LINE, self.crash_line) if self.crash_line else None
        (directory / "production.log").write_text(console.text(0, border))
        if border is not None:
            (directory / "capture.log").write_text(console.text(border))
