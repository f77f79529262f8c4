# SPDX-License-Identifier: GPL-2.0
"""kdump-tools' own tests, as its source package has them, in the Debian guest with our kexec.

The programs that they call to reboot are autopkgtest's: one leaves a mark, from which the test goes
on after the reboot, and reboots. The other one leaves the mark only, because the test itself
crashes the machine.
"""

import asyncio
import os
from pathlib import Path

import pytest

from harness.distro.system import PATIENCE, System
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.testing import needs_distro

pytestmark = needs_distro

TESTS = Path(os.environ.get("KDUMP_TOOLS", ""), "debian", "tests")
# In the guest, on its disk.
TEST = "/var/tmp/test"
MARK = "/var/tmp/mark"
REBOOT = f"""#!/bin/sh
printf %s "$1" > {MARK}
kill -KILL $PPID
"""
PREPARE = f"""#!/bin/sh
printf %s "$1" > {MARK}
sync
"""
SKIP = 77


async def run(guest: Guest, mark: str) -> bool:
    """Runs the test from a mark on. True if it is done, and not to go on after a reboot."""
    await guest.write(TEST, (TESTS / "crash").read_text())
    for name, script in (("reboot", REBOOT), ("reboot-prepare", PREPARE)):
        await guest.write(f"/tmp/autopkgtest-{name}", script)
    await guest.shell(f"chmod +x /tmp/autopkgtest-*; rm -f {MARK}")
    test = asyncio.ensure_future(
        guest.run("env", f"AUTOPKGTEST_REBOOT_MARK={mark}", "bash", TEST, timeout_s=PATIENCE)
    )
    # The capture kernel boots, saves, and reboots the machine.
    reset = asyncio.ensure_future(guest.machine.reset(PATIENCE))
    await asyncio.wait({test, reset}, return_when=asyncio.FIRST_COMPLETED)
    if not test.done():
        test.cancel()
        await reset
        return False
    reset.cancel()
    finished = test.result()
    print(finished.stdout, finished.stderr)
    assert finished.status != SKIP, finished
    rebooting = await guest.shell(f"test ! -e {MARK} || cat {MARK}; sync")
    if not rebooting:
        finished.check()
    return not rebooting


@pytest.mark.skipif(
    not (TESTS / "crash").is_file(),
    reason="KDUMP_TOOLS= names no source of kdump-tools",
)
@pytest.mark.parametrize("test", ["crash", "crash+makedumpfile"])
async def test_autopkgtests_of_kdump_tools_pass(test: str, tmp_path: Path) -> None:
    """Without makedumpfile its services save an ELF core file, with it a compressed dump."""
    system = System(tmp_path, memory_mib=2048)
    async with system.boot() as guest:
        if test == "crash":
            await guest.shell("dpkg --remove makedumpfile 2>&1", timeout_s=PATIENCE)
        assert not await run(guest, "")
    async with system.boot() as guest:
        assert "rkexec" in await guest.shell("kexec --version")
        assert not await run(guest, "crashkernel")
    async with system.boot() as guest:
        assert await run(guest, "crash")
        prefix = "dump" if test == "crash+makedumpfile" else "vmcore"
        (found,) = (await guest.shell(f"find /var/crash -name '{prefix}.*'")).split()
        await guest.shell("sync")
    saved = tmp_path / "dump"
    system.extract(found, saved)
    with Dump(saved) as dump:
        assert dump.panic_message == "sysrq triggered crash"
