# SPDX-License-Identifier: GPL-2.0
"""Debian 13, its own kernel and kdump-tools, with our packages in kexec's place: `make distro`."""

import re
from pathlib import Path

import pytest

from harness import paths
from harness.distro.system import IMAGE, PATIENCE, System
from harness.dump.dump import Dump

pytestmark = pytest.mark.skipif(
    "stock" not in paths.TARGET.split("-") or not (IMAGE / "root.img").exists(),
    reason="needs the system that make distro installs",
)

CRASHES = "/var/crash"

# What an administrator does who wants our saver in the place of makedumpfile.
TAKE_ITS_PLACE = (
    "dpkg-divert --local --rename --add /usr/bin/makedumpfile; "
    "ln /usr/sbin/rkdump /usr/bin/makedumpfile"
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
