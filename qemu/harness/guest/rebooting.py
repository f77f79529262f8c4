# SPDX-License-Identifier: GPL-2.0
"""A guest that reboots into a kernel without firmware."""

from harness import paths
from harness.guest.agent import Hello
from harness.guest.guest import Guest
from harness.guest.loading import CONSOLE

# What a kernel that was entered by a reboot is known by.
MARK = "entered_by=reboot"

# The guests' initrd with what this kernel found in /boot besides, so that the next finds it too.
# An archive starts at a multiple of 4.
WITH_BOOT_FILES = """
cd /
{
    cat boot/initrd
    head -c $(((4 - $(stat -c %s boot/initrd) % 4) % 4)) /dev/zero
    find boot | cpio -o -H newc
} > /tmp/initrd
"""


async def load(guest: Guest, command_line: str = "", *options: str) -> None:
    """Loads the guests' kernel, to be entered by a reboot."""
    await guest.shell(WITH_BOOT_FILES)
    files = (paths.GUEST_KERNEL, "--initrd=/tmp/initrd")
    line = f"--command-line={CONSOLE} {command_line} {MARK}"
    (await guest.rkexec("--load", *files, line, *options)).check()
    await guest.shell("rm /tmp/initrd")


async def enter(guest: Guest, cpu: int = 0) -> Hello:
    """Reboots from this CPU, and waits for the agent of the next kernel."""
    await guest.crash_by_running("taskset", f"{1 << cpu:x}", "rkexec", "--exec")
    hello = await guest.rebooted()
    assert hello.role == "production", hello
    assert MARK in await guest.read("/proc/cmdline")
    guest.hello = hello
    return hello
