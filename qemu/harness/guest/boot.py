# SPDX-License-Identifier: GPL-2.0
"""Booting a guest, as a production kernel or as one that finds an elfcorehdr."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from harness.guest.agent import Agent, Hello
from harness.guest.guest import FIRST_PROCESS, PATIENCE, Guest
from harness.guest.loading import CONSOLE
from harness.machine.errors import GuestError, NotBooted
from harness.machine.hardware import Hardware
from harness.machine.machine import Machine
from harness.machine.platform import PLATFORM


@asynccontextmanager
async def prepared(
    directory: Path,
    memory: bytes,
    at: int,
    header: int,
    hardware: Hardware = Hardware(cpus=1),
    options: str = "",
) -> AsyncIterator[Guest]:
    """An x86_64 machine whose kernel is told that another one crashed before it.

    QEMU puts `memory` to physical address `at`, which `memmap=` makes the kernel leave alone.
    """
    image = directory / "memory"
    image.write_bytes(memory)
    loader = ("-device", f"loader,file={image},addr={at:#x},force-raw=on")
    hardware = replace(hardware, arguments=(*hardware.arguments, *loader))
    command_line = (
        f"{CONSOLE} {PLATFORM.early_console} memmap={len(memory):#x}${at:#x} "
        f"elfcorehdr={header:#x} {options}"
    )
    agent = Agent()
    async with Machine(hardware, command_line, directory, agent) as machine:
        hello = await machine.until(agent.hello(), "the kernel's agent", PATIENCE)
        if hello.role != "capture":
            raise GuestError(f"the kernel that QEMU booted says {hello}")
        yield Guest(machine, agent, hello)
    image.unlink()


async def first_hello(machine: Machine, agent: Agent, what: str, seconds: float) -> Hello:
    """Waits for the agent of the kernel that QEMU boots, which may never get there."""
    try:
        return await machine.until(agent.hello(), what, seconds)
    except GuestError as error:
        if machine.console.find(FIRST_PROCESS) is None:
            raise NotBooted(str(error)) from error
        raise


@asynccontextmanager
async def boot(
    directory: Path, hardware: Hardware = Hardware(), command_line: str = "crashkernel=256M"
) -> AsyncIterator[Guest]:
    """A guest that has booted the production kernel."""
    agent = Agent()
    async with Machine(hardware, f"{CONSOLE} {command_line}", directory, agent) as machine:
        # CPUs that take turns take as much longer as there are of them.
        seconds = PATIENCE / 2 * (hardware.cpus if hardware.counting else 1)
        hello = await first_hello(machine, agent, "the production kernel's agent", seconds)
        if hello.role != "production":
            raise GuestError(f"the kernel that QEMU booted says {hello}")
        guest = Guest(machine, agent, hello)
        try:
            yield guest
        except GuestError:
            if hardware.keeps_memory:
                await machine.keep_memory()
            raise
        finally:
            guest.split_console()
