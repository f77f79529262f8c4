# SPDX-License-Identifier: GPL-2.0
"""A machine under Secure Boot, whose capture kernel is locked down as the one that crashed was."""

import pytest

from harness import paths
from harness.guest.files import Files
from harness.guest.guest import Guest
from harness.guest.loading import rkexec
from harness.images.signing import Signer
from harness.machine.hardware import Hardware
from harness.steps.firmware import SAID_BY_FIRMWARE
from harness.testing import in_guest, needs_signer

# IMA's policy switches this on at boot, with or without lockdown.
ENFORCED = (
    "this kernel, which enforces signatures under Secure Boot (IMA_ARCH_POLICY), requires one"
)
LOCKDOWN = "/sys/kernel/security/lockdown"


async def state(guest: Guest) -> str:
    """The kernel's lockdown, and what it knows of the firmware that causes it."""
    await guest.shell(f"[ -e {LOCKDOWN} ] || mount -t securityfs securityfs /sys/kernel/security")
    return await guest.read(LOCKDOWN) + await guest.shell(SAID_BY_FIRMWARE)


@pytest.mark.skipif(paths.ARCH != "x86_64", reason="the firmware is x86_64's")
@needs_signer
# For each variable of the firmware all CPUs have to meet in system management mode.
@in_guest(Hardware(cpus=1, secure_boot=True))
async def test_capture_kernel_is_locked_down(guest: Guest) -> None:
    signed = Signer.trusted("signer").sign(paths.CAPTURE_KERNEL.read_bytes())
    production = await state(guest)
    assert production.startswith("none [integrity] confidentiality\n")
    unsigned = await guest.run(*rkexec())
    assert ENFORCED in unsigned.stderr and "(ENODATA)" in unsigned.stderr, unsigned
    (await guest.run(*await Files(signed).send(guest))).check()
    await guest.crash()
    await guest.captured()
    assert await state(guest) == production
