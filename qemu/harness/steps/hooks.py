# SPDX-License-Identifier: GPL-2.0
"""Steps in a kernel whose functions are hooked by kprobes, because it has no ftrace."""

from harness import paths
from harness.guest.guest import Guest
from harness.matrix.trigger import CRASHER, PANIC_ON_OOPS

KPROBES = "/sys/kernel/debug/kprobes/enabled"


async def switch_kprobes_off(guest: Guest) -> None:
    """From here on no hook is called. What is left is what the kernel exports."""
    await guest.shell(f"echo 0 > {KPROBES}")


async def switch_kprobes_on(guest: Guest) -> None:
    """The hooks are called again."""
    await guest.shell(f"echo 1 > {KPROBES}")


async def panic_on_oops(guest: Guest) -> None:
    """An oops is a panic, and the test-only module makes one."""
    await guest.shell(f"insmod {paths.GUEST_CRASHER}")
    await guest.shell(PANIC_ON_OOPS)


async def crash_by_oops(guest: Guest) -> None:
    """A null pointer is written to, in a task."""
    await guest.crash_by_writing(CRASHER, "task oops 0")
