# SPDX-License-Identifier: GPL-2.0
"""Every instruction that a guest's CPUs execute at chosen addresses, as QEMU's TCG tells it."""

import asyncio
import fcntl
import os
import re
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Any

from harness.machine.errors import GuestError
from harness.machine.machine import Machine

# A line of QEMU's log for what it is about to execute, and one that takes the last one back. The
# first number in the brackets is 0 on these machines, the second one the address.
EXECUTED = re.compile(
    rb"^Trace (\d+): \S+ \[[0-9a-f]+/([0-9a-f]+)/|^Stopped execution of TB chain before",
    re.MULTILINE,
)

# Translations of one instruction each, by the names of QEMU since 8.1 and before.
SINGLE = ("one-insn-per-tb", "singlestep")

PIPE_LEN = 1 << 20


class Trace:
    """QEMU's log, in a pipe: a guest does not run ahead of its reader."""

    def __init__(self, directory: Path, addresses: Iterable[range]) -> None:
        self._path = directory / "trace"
        self._path.unlink(missing_ok=True)
        os.mkfifo(self._path)
        # With its reader there QEMU can open it.
        self._file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._file, fcntl.F_SETPIPE_SZ, PIPE_LEN)
        ranges = ",".join(f"{one.start:#x}..{one.stop - 1:#x}" for one in addresses)
        self.arguments = ("-D", str(self._path), "-dfilter", ranges)
        """For QEMU."""

    async def start(self, machine: Machine) -> None:
        """From now on instructions are told. Needs a machine whose CPUs take turns."""
        assert machine.hardware.counting

        async def said(command: str) -> Any:
            return await machine.execute("human-monitor-command", **{"command-line": command})

        for name in SINGLE:
            if not await said(f"{name} on"):
                break
        else:
            raise GuestError("QEMU does not translate one instruction at a time")
        # Nothing must follow another translation without being told.
        refused = await said("log exec,nochain")
        if refused:
            raise GuestError(f"QEMU does not tell what it executes: {refused}")

    async def executed(self) -> AsyncGenerator[tuple[int, int], None]:
        """Each CPU and address, when the next one is told, so that none is taken back later.

        An address that the same CPU executes again at once is told once: QEMU begins instructions
        that access devices twice, and repeated string instructions as often as they repeat.
        """
        reader = asyncio.StreamReader(limit=PIPE_LEN)
        with open(self._file, "rb") as file:
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), file
            )
            last: tuple[int, int] | None = None
            rest = b""
            try:
                while data := await reader.read(PIPE_LEN):
                    whole, newline, rest = (rest + data).rpartition(b"\n")
                    for match in EXECUTED.finditer(whole + newline):
                        cpu, address = match.groups()
                        if cpu is None:
                            last = None
                            continue
                        told = (int(cpu), int(address, 16))
                        if last is not None and told != last:
                            yield last
                        last = told
            finally:
                transport.close()
                self._path.unlink(missing_ok=True)
