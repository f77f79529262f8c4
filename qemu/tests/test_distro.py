# SPDX-License-Identifier: GPL-2.0
"""Debian 13, its own kernel and kdump-tools, with our packages in kexec's place: `make distro`."""

import json
import re
from pathlib import Path

import pytest

from harness import paths
from harness.distro.system import PATIENCE, System
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.testing import needs_distro

pytestmark = needs_distro

CRASHES = "/var/crash"

# What an administrator does who wants our saver in the place of makedumpfile. The capture kernel
# runs what the crashed one has written to the disk.
TAKE_ITS_PLACE = (
    "dpkg-divert --local --rename --add /usr/bin/makedumpfile; "
    "ln /usr/sbin/rkdump /usr/bin/makedumpfile; sync"
)

# When kdump-tools begins to save, and when it has saved, in seconds of the capture kernel's.
BEGIN = r"^\[ *([0-9.]+)\] kdump-tools.*running makedumpfile -F"
END = r"^\[ *([0-9.]+)\] kdump-tools.*saved vmcore in"


@pytest.mark.parametrize("saver", ["makedumpfile", "rkdump"])
async def test_kdump_tools_of_debian_save_a_dump(saver: str, tmp_path: Path) -> None:
    """Its service loads by our kexec, its initrd saves, the machine reboots, and drgn opens it."""
    system = System(tmp_path, memory_mib=3072)
    async with system.boot() as guest:
        assert "rkexec" in await guest.shell("kexec --version")
        said = await guest.shell("kdump-config status 2>&1", timeout_s=PATIENCE)
        assert "ready to kdump" in said, said
        assert (await guest.status()).armed
        if saver == "rkdump":
            await guest.shell(TAKE_ITS_PLACE)
        await guest.crash()
        # The capture kernel boots, saves, and reboots the machine.
        await guest.machine.reset(PATIENCE)
        console = guest.machine.console.text()
    seconds = [float(re.findall(line, console, re.MULTILINE)[-1]) for line in (BEGIN, END)]
    async with system.boot() as guest:
        found = (await guest.shell(f"cd {CRASHES}; find . -name 'dump.*'")).split()
        log = await guest.shell(f"cat {CRASHES}/*/dmesg.*")
        # The capture kernel leaves some of it in the journal, and that is taken over by this boot.
        await guest.shell("sync")
    assert len(found) == 1, found
    assert "sysrq triggered crash" in log
    saved = tmp_path / "dump"
    system.extract(f"{CRASHES}/{found[0]}", saved)
    print(f"{saver}: {saved.stat().st_size >> 20} MiB in {seconds[1] - seconds[0]:.1f} s")
    with Dump(saved) as dump:
        assert dump.panic_message == "sysrq triggered crash"
        functions = [frame.name for frame in dump.crashed_thread.stack_trace()]
        assert "sysrq_handle_crash" in functions, functions
    # makedumpfile 1.7.6 says so of a 7.3.4.
    if saver == "rkdump":
        assert "kernel version is not supported" not in console


# How often the system is rebooted into its own kernel.
REBOOTS = 5

LOAD = "kexec -l /boot/vmlinuz-$(uname -r) --initrd=/boot/initrd.img-$(uname -r) --reuse-cmdline"

# A file that grows before each reboot, and what it has to be then. Only systemd writes it back.
KEPT = "/var/lib/kept"
WRITE = f"head -c 4M /dev/urandom >> {KEPT}; sha256sum {KEPT} > {KEPT}.sum"


async def boot_id(guest: Guest) -> str:
    """What is another one in each kernel."""
    return await guest.read("/proc/sys/kernel/random/boot_id")


async def test_systemctl_kexec_enters_the_next_kernel(tmp_path: Path) -> None:
    """Services are stopped, nothing that was written is lost, and kdump works each time."""
    system = System(tmp_path, memory_mib=3072)
    # QEMU would end where the firmware's way is taken.
    async with system.boot() as guest:
        command_line = await guest.read("/proc/cmdline")
        for _ in range(REBOOTS):
            await guest.shell(WRITE)
            last = await boot_id(guest)
            await guest.shell(LOAD, timeout_s=PATIENCE)
            assert (await guest.read("/sys/kernel/kexec_loaded")).strip() == "1"
            answer = await guest.rkexec("--status", "--load", "--json")
            assert json.loads(answer.stdout)["for_reboot"], "the kernel's own kexec has it"
            await guest.crash_by_running("systemctl", "kexec")
            await guest.rebooted(PATIENCE)
            assert await boot_id(guest) != last
            assert await guest.read("/proc/cmdline") == command_line
            await guest.shell(f"sha256sum --check {KEPT}.sum")
            said = await guest.shell("kdump-config status 2>&1", timeout_s=PATIENCE)
            assert "ready to kdump" in said, said
            # What was not unmounted would have been recovered.
            assert "recovery complete" not in await guest.shell("dmesg")


SELFTESTS = ("test_kexec_load.sh", "test_kexec_file_load.sh")
# The exit status of one that has passed, and not been skipped.
PASS = 0


def selftests() -> Path | None:
    """The kernel's tests of kexec's command, in the source of a kernel that was built."""
    sources = (paths.BUILD / "kernel" / name / "source" for name in ("x86_64-7", "x86_64"))
    tests = (source / "tools" / "testing" / "selftests" / "kexec" for source in sources)
    return next((test for test in tests if test.is_dir()), None)


@pytest.mark.skipif(selftests() is None, reason="no kernel's source is there: make kernel KERNEL=7")
async def test_selftests_of_the_kernel_pass(tmp_path: Path) -> None:
    """Those that call kexec: it is ours, and does what they expect with or without signatures."""
    directory = selftests()
    assert directory is not None
    system = System(tmp_path, memory_mib=3072)
    async with system.boot() as guest:
        await guest.shell("mkdir /tmp/selftests")
        for file in (*SELFTESTS, "kexec_common_lib.sh"):
            await guest.write(f"/tmp/selftests/{file}", (directory / file).read_text())
        for file in SELFTESTS:
            finished = await guest.run("sh", "-c", f"cd /tmp/selftests; sh ./{file}", timeout_s=600)
            print(f"{file}: {finished.status}\n{finished.stdout}{finished.stderr}")
            assert finished.status == PASS, finished
