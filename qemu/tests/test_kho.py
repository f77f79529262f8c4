# SPDX-License-Identifier: GPL-2.0
"""A kernel that hands its own state over to the next one: `make scenarios KERNEL=7 VARIANT=kho`."""

from harness import paths
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.guest.loading import CONSOLE
from harness.guest.rebooting import MARK
from harness.guest.refusals import refuse
from harness.machine.hardware import Hardware
from harness.testing import in_guest, needs

FILES = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")
COMMAND_LINE = "crashkernel=256M kho=on"


@needs("KEXEC_HANDOVER", "CONTIG_ALLOC")
@in_guest(Hardware(memory_mib=2048), COMMAND_LINE)
async def test_a_reboot_is_left_to_the_kernel(guest: Guest) -> None:
    """The module refuses, and kexec has the kernel's own load, which hands the state over."""
    await guest.load()
    await refuse(guest, ("rkexec", "-l", *FILES), "ENODEV", "booted with kho=on")
    await guest.shell("cp $(command -v rkexec) /bin/kexec")
    line = f"--append={CONSOLE} {COMMAND_LINE} {MARK}"
    said = (await guest.run("kexec", "-l", *FILES, line)).check().stderr
    assert "kho=on" in said and len(said.splitlines()) == 1, said
    assert (await guest.rkexec("--status", "--load")).status == 0
    assert (await guest.read("/sys/kernel/kexec_loaded")).strip() == "1"
    await guest.crash_by_running("kexec", "-e")
    await guest.rebooted()
    assert MARK in await guest.read("/proc/cmdline")


@needs("KEXEC_HANDOVER")
@in_guest(Hardware(memory_mib=2048), COMMAND_LINE)
async def test_a_crash_hands_nothing_over(guest: Guest) -> None:
    """An image for a crash is loaded, and its dump is as without kho=on."""
    await guest.load()
    await guest.crash()
    await guest.captured()
    with Dump(await guest.save_vmcore()) as dump:
        assert dump.panic_message == "sysrq triggered crash"
    dump.path.unlink()
