# SPDX-License-Identifier: GPL-2.0
"""The guest's serial console: kept in a log, and timed line by line.

Tests learn from the agent how a guest does. The console is for people who read logs, for the
purgatory, which has no other way to speak, and for measurements of time.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One line of the console."""

    seconds: float
    """When its first byte arrived, on the host's monotonic clock."""
    text: str


class Console:
    """Everything that the guest has written to its serial port."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._partial = b""
        self._started = 0.0
        self._news = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, path: Path) -> None:
        """Listens at a socket that QEMU connects the serial port to."""
        self._server = await asyncio.start_unix_server(self._receive, path)

    def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            self._server.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        while data := await reader.read(65536):
            async with self._news:
                self._add(data)
                self._news.notify_all()
        writer.close()

    async def send(self, data: bytes) -> None:
        """Sends to the guest's serial port."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    def _add(self, data: bytes) -> None:
        now = time.monotonic()
        for piece in data.splitlines(keepends=True):
            if not self._partial:
                self._started = now
            self._partial += piece
            if piece.endswith(b"\n"):
                text = self._partial.decode(errors="replace").rstrip("\r\n")
                self.lines.append(Line(self._started, text))
                self._partial = b""

    async def line(self, pattern: str, start: int = 0) -> Line:
        """Waits for a whole line, from line number `start` on, that the pattern is found in."""
        wanted = re.compile(pattern)
        async with self._news:
            while True:
                for line in self.lines[start:]:
                    if wanted.search(line.text):
                        return line
                start = len(self.lines)
                await self._news.wait()

    def text(self, start: int = 0, stop: int | None = None) -> str:
        """The lines from `start` to before `stop`, with the unfinished one where it is the end."""
        text = "".join(f"{line.text}\n" for line in self.lines[start:stop])
        if stop is None:
            text += self._partial.decode(errors="replace")
        return text

    def find(self, pattern: str, start: int = 0) -> int | None:
        """The number of the first line, from `start` on, that the pattern is found in."""
        wanted = re.compile(pattern)
        for number, line in enumerate(self.lines[start:], start):
            if wanted.search(line.text):
                return number
        return None
