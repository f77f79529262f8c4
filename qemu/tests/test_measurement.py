# SPDX-License-Identifier: GPL-2.0
"""The entry of a load in IMA's list of measurements."""

import pytest

from harness import paths
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.testing import in_guest

MEASUREMENTS = "/sys/kernel/security/integrity/ima/ascii_runtime_measurements"


@pytest.mark.skipif(not paths.has(paths.TARGET, "IMA"), reason="the kernel measures nothing")
@in_guest(command_line="crashkernel=256M ima_policy=critical_data")
async def test_command_line_is_measured(guest: Guest) -> None:
    await guest.shell("mount -t securityfs securityfs /sys/kernel/security")
    for line in (CAPTURE, f"{CAPTURE} panic=1"):
        await guest.load(line)
        measured = (await guest.read(MEASUREMENTS)).splitlines()[-1].split()
        # The template ima-buf ends in the event's name and the data themselves.
        assert (measured[2], measured[4]) == ("ima-buf", "kexec-cmdline")
        assert bytes.fromhex(measured[5]) == line.encode()
