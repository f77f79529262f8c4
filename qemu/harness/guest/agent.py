# SPDX-License-Identifier: GPL-2.0
"""The host's side of the guest agent: lines of JSON over a virtio-serial port."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class AgentError(Exception):
    """The agent could not do what it was asked, or said something that we do not understand."""


@dataclass(frozen=True)
class Hello:
    """The first message of an agent."""

    role: str
    release: str
    cpus_online: int


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end in the guest."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    def check(self) -> "Finished":
        """The same, but an error unless the program succeeded."""
        if self.status != 0:
            said = self.stdout[-4096:] + self.stderr
            raise AgentError(f"{' '.join(self.argv)}: status {self.status}\n{said}")
        return self


class Agent:
    """A conversation with whichever kernel's agent is running.

    The port outlives the crash: the capture kernel's agent goes on with the same socket.
    """

    def __init__(self) -> None:
        self._connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.get_running_loop().create_future()
        )
        self._server: asyncio.Server | None = None
        self._last_id = 0

    async def serve(self, path: Path) -> None:
        """Listens at a socket that QEMU connects the port to."""
        self._server = await asyncio.start_unix_server(self._accept, path, limit=16 << 20)

    def close(self) -> None:
        """Stops listening and hangs up."""
        if self._server is not None:
            self._server.close()
        if self._connected.done():
            self._connected.result()[1].close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected.set_result((reader, writer))

    async def _receive(self) -> dict[str, Any]:
        reader, _ = await self._connected
        line = await reader.readline()
        if not line.endswith(b"\n"):
            raise AgentError(f"QEMU closed the agent's port after {line!r}")
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise AgentError(f"the agent sent {line!r}: {error}") from error
        return message

    async def hello(self) -> Hello:
        """Waits until an agent starts."""
        message = await self._receive()
        if message.pop("event", None) != "hello":
            raise AgentError(f"the agent sent {message} instead of its hello")
        return Hello(**message)

    async def _ask(self, **request: Any) -> dict[str, Any]:
        self._last_id += 1
        _, writer = await self._connected
        writer.write(json.dumps({"id": self._last_id, **request}).encode() + b"\n")
        await writer.drain()
        answer = await self._receive()
        if answer.get("id") != self._last_id:
            raise AgentError(f"the agent answered {request} with {answer}")
        if "error" in answer:
            raise AgentError(f"{request}: {answer['error']}")
        return answer

    async def run(self, *argv: str, stdin: str | None = None, timeout_s: int = 60) -> Finished:
        """Runs a program to its end; the guest stops it after `timeout_s`."""
        request: dict[str, Any] = {"run": argv, "timeout_s": timeout_s}
        if stdin is not None:
            request["stdin"] = stdin
        answer = await self._ask(**request)
        return Finished(argv, answer["status"], answer["stdout"], answer["stderr"])

    async def spawn(self, *argv: str, timeout_s: int = 60) -> dict[str, Any]:
        """Starts a program that goes on running, and returns the JSON it says once it is ready."""
        answer = await self._ask(spawn=argv, timeout_s=timeout_s)
        try:
            ready: dict[str, Any] = json.loads(answer["line"])
        except (KeyError, TypeError, ValueError) as error:
            raise AgentError(f"{' '.join(argv)}: no ready line in {answer}") from error
        return ready

    async def write(self, path: str, data: str) -> None:
        """Writes to a file; the answer comes before the write, which may be the guest's last."""
        await self._ask(write={"path": path, "data": data})

    async def read(self, path: str) -> str:
        """A file's text."""
        text: str = (await self._ask(read=path))["text"]
        return text
