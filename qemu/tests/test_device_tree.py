# SPDX-License-Identifier: GPL-2.0
"""A device tree in the place of the running kernel's: `rkexec --device-tree`, `kexec --dtb`."""

import base64

import pytest

from harness import paths
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE, CONSOLE
from harness.guest.policy import POLICY
from harness.guest.rebooting import MARK as REBOOT_MARK
from harness.guest.rebooting import enter, load
from harness.guest.refusals import refuse
from harness.machine.device_tree import compiled, decompiled
from harness.machine.hardware import Hardware
from harness.testing import in_guest, needs

RUNNING = "/sys/firmware/fdt"
GIVEN = "/tmp/tree"
FILES = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")

# A node that no driver knows, by which a kernel shows which tree it was given.
MARK = "/proc/device-tree/given/by"
NODE = '/ {{ given {{ by = "{}"; }}; }};'

on_arm64 = pytest.mark.skipif(paths.ARCH != "arm64", reason="only arm64 has a device tree")


async def running(guest: Guest) -> str:
    """The source of the running kernel's tree."""
    text = await guest.shell(f"base64 {RUNNING}")
    return decompiled(base64.b64decode(text))


async def give(guest: Guest, source: str) -> str:
    """The option by which a kernel is given the tree of this source."""
    await guest.send(GIVEN, compiled(source))
    return f"--device-tree={GIVEN}"


@on_arm64
@needs("KEXEC_CORE", "CONTIG_ALLOC")
@in_guest(Hardware(cpus=2))
async def test_is_given_to_the_next_kernel(guest: Guest) -> None:
    """One that a reboot enters, and one that a crash does."""
    source = await running(guest)
    memory = await guest.shell("grep -m 1 'System RAM' /proc/iomem")
    await load(guest, "crashkernel=256M", await give(guest, source + NODE.format("a reboot")))
    await enter(guest)
    assert await guest.read(MARK) == "a reboot\0"
    assert await guest.shell("grep -m 1 'System RAM' /proc/iomem") == memory
    await guest.load(CAPTURE, await give(guest, source + NODE.format("a crash")))
    await guest.crash()
    await guest.captured()
    assert await guest.read(MARK) == "a crash\0"
    with Dump(await guest.save_vmcore()) as dump:
        assert dump.panic_message == "sysrq triggered crash"
    dump.path.unlink()


@on_arm64
@needs("KEXEC_CORE", "CONTIG_ALLOC")
@in_guest(Hardware(cpus=1))
async def test_option_of_kexec(guest: Guest) -> None:
    await guest.shell("cp $(command -v rkexec) /bin/kexec")
    await give(guest, await running(guest) + NODE.format("kexec"))
    line = f"--append={CONSOLE} {REBOOT_MARK}"
    (await guest.run("kexec", "-l", *FILES, line, f"--dtb={GIVEN}")).check()
    await enter(guest)
    assert await guest.read(MARK) == "kexec\0"


@on_arm64
@in_guest(Hardware(cpus=1))
async def test_refused(guest: Guest) -> None:
    """A file that is no tree, one of another machine, and any where signatures are asked for."""
    await guest.load()
    source = await running(guest)
    words = ("rkexec", "-p", *FILES, f"--device-tree={GIVEN}")
    await guest.shell(f"cp /init {GIVEN}")
    await refuse(guest, words, "EINVAL", "not a flattened device tree", "starts with 0x")
    await guest.shell(f"head -c 1000 {RUNNING} > {GIVEN}")
    await refuse(guest, words, "EINVAL", "truncated: it has 1000 bytes")
    start_from = "change a copy of /sys/firmware/fdt"
    for more, fact in (
        ('/ { memory@40000000 { status = "disabled"; }; };', "has no memory at 0x40000000"),
        (
            '/ { memory@90000000 { device_type = "memory"; reg = <0 0x90000000 0 0x1000>; }; };',
            "has memory at 0x90000000",
        ),
        ("/ { chosen { linux,uefi-system-table = <0 1>; }; };", "by which UEFI is found"),
    ):
        await give(guest, source + more)
        await refuse(guest, words, "EINVAL", fact, start_from)
    await give(guest, source)
    await guest.shell(f"echo require > {POLICY}")
    await refuse(guest, words, "EPERM", "a device tree has no signature", "leave it out")
    await guest.shell("rkexec -u; rmmod rust_kexec; cp $(command -v rkexec) /bin/kexec")
    finished = await guest.run("kexec", "-l", *FILES, f"--dtb={GIVEN}")
    assert finished.status == 255 and "takes no device tree" in finished.stderr, finished


@pytest.mark.skipif(paths.ARCH == "arm64", reason="arm64 has a device tree")
@in_guest(Hardware(cpus=1))
async def test_refused_where_there_is_none(guest: Guest) -> None:
    words = ("rkexec", "-p", *FILES, "--device-tree=/init")
    await refuse(guest, words, "EINVAL", "of this architecture take none: leave it out")
