# SPDX-License-Identifier: GPL-2.0
"""A trigger is data and a step: what kills the kernel, and its traces in the dump."""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Protocol

from harness import paths
from harness.guest.guest import Guest

LKDTM = "/sys/kernel/debug/provoke-crash"
CRASHER = "/sys/module/crasher/parameters/crash"


class Cause(Protocol):
    """Kills the kernel, on this CPU or because of it."""

    def __call__(self, guest: Guest, cpu: int) -> Awaitable[None]:
        """The guest, and the CPU."""
        ...


class Where(Enum):
    """The CPU that panics."""

    HERE = "the trigger's"
    ELSEWHERE = "another one"
    ANYWHERE = "any"


@dataclass(frozen=True)
class Trigger:
    """A way to kill a kernel."""

    name: str
    cause: Cause
    says: str
    """A line of the log, as a pattern."""
    functions: tuple[str, ...]
    """Each is on the stack of the CPU that panics, as a pattern."""
    at: str = ""
    """An oops: the function that the CPU's registers are in, not the one that handles it."""
    outside: bool = False
    """An oops: the registers are in no function at all."""
    task: str = "agent"
    """The task that panics, as a pattern."""
    where: Where = Where.HERE
    stuck: str = ""
    """A function on the stack of the trigger's CPU, where another one panics."""
    options: tuple[str, ...] = ()
    """Options of the kernel without which there is no such trigger."""
    symbols: tuple[str, ...] = ()
    """Functions of the kernel without which there is none."""
    prepare: tuple[str, ...] = ()
    """Shell scripts that run before the load."""


def by_arch(**texts: str) -> str:
    """The text for this architecture."""
    return texts[paths.ARCH]


def panics(message: str) -> str:
    """The line that panic() writes with this message, which is a pattern."""
    return rf"^Kernel panic - not syncing: {message}"


NULL_POINTER = by_arch(
    x86_64=r"BUG: kernel NULL pointer dereference, address: 0{16}$",
    arm64=r"Unable to handle kernel NULL pointer dereference at virtual address 0{16}$",
)
BAD_PAGE = by_arch(
    x86_64=r"BUG: unable to handle page fault for address",
    arm64=r"Unable to handle kernel ",
)
BUG = r"kernel BUG at "
PANIC_ON_OOPS = "echo 1 > /proc/sys/kernel/panic_on_oops"


async def write(guest: Guest, cpu: int, path: str, data: str) -> None:
    """The agent, on that CPU, writes to a file."""
    await guest.shell(f"taskset -p {1 << cpu:x} $(pidof agent)")
    await guest.crash_by_writing(path, data)


async def run(guest: Guest, cpu: int, script: str) -> None:
    """A shell of its own, on that CPU, runs a script."""
    go = "/tmp/go"
    await guest.shell(
        f"taskset {1 << cpu:x} sh -c 'until [ -e {go} ]; do sleep 0.1; done; {script}' "
        "</dev/null >/dev/null 2>&1 &"
    )
    await guest.crash_by_writing(go, "")


def sysrq() -> Trigger:
    """`echo c > /proc/sysrq-trigger`."""
    return Trigger(
        name="sysrq-trigger c",
        cause=partial(write, path="/proc/sysrq-trigger", data="c"),
        says=panics("sysrq triggered crash$"),
        functions=("sysrq_handle_crash", "write_sysrq_trigger"),
    )


def lkdtm(
    kind: str,
    says: str,
    *functions: str,
    at: str = "",
    outside: bool = False,
    task: str = "agent",
    where: Where = Where.HERE,
    stuck: str = "",
    options: tuple[str, ...] = (),
) -> Trigger:
    """One of LKDTM's, in the task that writes its name."""
    oops = at or outside
    return Trigger(
        name=f"LKDTM {kind}",
        cause=partial(write, path=f"{LKDTM}/DIRECT", data=kind),
        says=says,
        functions=functions or (() if where != Where.HERE else (f"lkdtm_{kind}",)),
        at=at,
        outside=outside,
        task=task,
        where=where,
        stuck=stuck,
        options=("LKDTM", *options),
        prepare=(PANIC_ON_OOPS,) * bool(oops),
    )


# What each of LKDTM's and the crasher's deaths leaves.
def _death(prefix: str, kind: str) -> tuple[str, str]:
    """The line in the log, and where the registers of an oops are."""
    function = f"{prefix}_{kind}"
    return {
        "PANIC": (panics("dumptest$"), ""),
        "BUG": (BUG, function),
        "EXCEPTION": (NULL_POINTER, function),
        "panic": (panics("crasher: panic$"), ""),
        "bug": (BUG, function),
        "oops": (NULL_POINTER, function),
    }[kind]


def lkdtm_at(
    point: str, symbol: str, kind: str, load: str, *functions: str, task: str = ".*"
) -> Trigger:
    """LKDTM's death in a function that a kprobe waits in, while a load runs through it."""
    says, at = _death("lkdtm", kind)
    return Trigger(
        name=f"LKDTM {kind} at {point}",
        cause=partial(write, path=f"{LKDTM}/{point}", data=kind),
        says=says,
        functions=(f"lkdtm_{kind}", *functions),
        at=at,
        task=task,
        where=Where.ANYWHERE,
        options=("LKDTM", "KPROBES"),
        symbols=(symbol,),
        prepare=(PANIC_ON_OOPS, f"(while :; do {load}; done) </dev/null >/dev/null 2>&1 &"),
    )


async def _crasher(guest: Guest, cpu: int, context: str, death: str) -> None:
    await write(guest, cpu, CRASHER, f"{context} {death} {cpu}")


def crasher(
    context: str,
    death: str,
    *functions: str,
    task: str = "agent",
    where: Where = Where.HERE,
) -> Trigger:
    """Our own module's."""
    says, at = _death("crasher", death)
    return Trigger(
        name=f"{death} in {context}",
        cause=partial(_crasher, context=context, death=death),
        says=says,
        functions=(f"crasher_{death}", *functions),
        at=at,
        task=task,
        where=where,
        prepare=(f"insmod {paths.GUEST_CRASHER}", PANIC_ON_OOPS),
    )


async def _arm(guest: Guest, cpu: int, first: str, cause: Cause) -> None:
    await guest.shell(f"echo {first} > {CRASHER}")
    await cause(guest, cpu)


def armed(
    context: str,
    death: str,
    then: Cause,
    *functions: str,
    argument: str = "0",
    task: str = "agent",
    where: Where = Where.HERE,
    symbols: tuple[str, ...] = (),
) -> Trigger:
    """Our own module's, at a place that something else comes to."""
    says, at = _death("crasher", death)
    return Trigger(
        name=f"{death} in {context.replace('_', ' ')}" + f" {argument}" * bool(symbols),
        cause=partial(_arm, first=f"{context} {death} {argument}", cause=then),
        says=says,
        functions=(f"crasher_{death}", *functions),
        at=at,
        task=task,
        where=where,
        symbols=symbols,
        prepare=(f"insmod {paths.GUEST_CRASHER}", PANIC_ON_OOPS),
    )
