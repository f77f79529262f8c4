# SPDX-License-Identifier: GPL-2.0
"""Signature policies and lockdown, switched on in a running guest."""

from pathlib import Path

from harness import paths
from harness.guest.guest import Guest
from harness.guest.kernel import iomem, symbols

LOCKDOWN = "/sys/kernel/security/lockdown"
POLICY = "/sys/module/rust_kexec/parameters/signatures"


async def require_signatures(guest: Guest) -> None:
    """Makes both loaders require signatures: ours by its parameter, the other as by secure boot."""
    await guest.shell(f"echo require > {POLICY}")
    await flip_enforcement(guest)


async def flip_enforcement(guest: Guest) -> None:
    """Flips what set_kexec_sig_enforced() sets, which nothing in user space reaches."""
    [data] = await iomem(guest, "Kernel data")
    address = await symbols(guest, "_sdata", "sig_enforce")
    place = data.start + address["sig_enforce"] - address["_sdata"]
    guest.machine.flip(place, 1)


async def lock_down(guest: Guest) -> None:
    """Switches the kernel to its confidentiality mode, from which there is no way back."""
    await guest.shell(
        f"mount -t securityfs securityfs {Path(LOCKDOWN).parent}; echo confidentiality > {LOCKDOWN}"
    )


async def nothing_but_lockdown(guest: Guest) -> None:
    """Drops the requirement of signatures, and then locks the kernel down."""
    await flip_enforcement(guest)
    await guest.shell(f"rmmod rust_kexec; insmod {paths.GUEST_MODULE}")
    await lock_down(guest)
