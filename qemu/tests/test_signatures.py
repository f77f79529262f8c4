# SPDX-License-Identifier: GPL-2.0
"""Signed kernels that boot, and refusals that leave the armed one armed.

What else can be wrong with a signature is in docs/verification.md, which test_verification.py
holds to.
"""

import gzip
from pathlib import Path
from random import Random

from harness import paths
from harness.cases.case import MACHINE
from harness.guest.files import Files
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.guest.policy import POLICY, lock_down
from harness.images.layout import flip
from harness.images.packed import unified
from harness.images.pe import certificate_table
from harness.images.signing import Signer, attach
from harness.testing import in_guest, needs_signer

UNSIGNED = (
    "the kernel has no signature, but the module's parameter signatures=require requires one: "
    "sign it with sbsign, or give a detached PKCS#7 signature with --signature"
)
OTHER_FILE = (
    "the kernel is not the file that was signed: its sha256 digest is another one than the "
    "signature has; get the file again, or sign it again if it was meant to change"
)
UNKNOWN_KEY = (
    "the kernel's signature is refused: its key is not on the builtin, secondary or platform "
    "keyring of this kernel: sign with a key that this kernel trusts "
    "(keyctl list %:.builtin_trusted_keys)"
)
REJECTED = (
    "signature is refused: it was altered, its key was revoked, it was made while its certificate "
    "was not valid, or by openssl without -nosmimecap: sign again, with a key that is neither "
    "expired nor on the .blacklist keyring"
)
KNOWN_TO_NOBODY = "its signer is none that this kernel knows, so nobody vouches for it"
REPLACED = (
    "the unified kernel image has a signed {part}, which the one that is given would replace, but "
    "the module's parameter signatures=require requires a signature: leave the {part} out"
)
LOOSER = (
    "signatures=require is in force and off is looser, but the policy of a loaded module can only "
    "be tightened"
)


async def load(guest: Guest, files: Files, signature: str = "good") -> None:
    """Loads and arms, and says what the signature is."""
    (await guest.run(*await files.send(guest))).check()
    status = await guest.status()
    assert (status.armed, status.signature) == (True, signature)


async def refuse(guest: Guest, files: Files, errno: str, sentence: str) -> None:
    """A refusal in these words, after which what was armed still is."""
    before = await guest.status()
    assert before.armed
    refused = await guest.run(*await files.send(guest))
    assert (refused.status, refused.stderr) == (1, f"rkexec: {sentence} ({errno})\n")
    assert await guest.status() == before


async def keep_what_is_signed(guest: Guest, signer: Signer, initrd: bytes) -> None:
    """Nothing replaces what a unified kernel image has; what it has is loaded."""
    kernel = paths.CAPTURE_KERNEL.read_bytes()
    image = signer.sign(unified(MACHINE, kernel, initrd, CAPTURE))
    await guest.send("/tmp/kernel", image)
    before = await guest.status()
    for part, option in (
        ("initrd", f"--initrd={paths.GUEST_KERNEL}"),
        ("command line", "--command-line=init=/bin/sh"),
    ):
        refused = await guest.rkexec("--load-panic", "/tmp/kernel", option)
        assert refused.stderr == f"rkexec: {REPLACED.format(part=part)} (EPERM)\n"
        assert await guest.status() == before
    (await guest.rkexec("--load-panic", "/tmp/kernel")).check()
    assert (await guest.status()).signature == "good"


async def tighten(guest: Guest) -> None:
    """The policy becomes tighter, and never looser."""
    assert (await guest.read(POLICY)).strip() == "check-if-signed"
    await guest.shell(f"echo require > {POLICY}")
    for looser in ("off", "check-if-signed"):
        assert (await guest.run("sh", "-c", f"echo {looser} > {POLICY}")).status != 0
        assert (await guest.read(POLICY)).strip() == "require"
    assert LOOSER in await guest.shell("dmesg")


@needs_signer
@in_guest()
async def test_signatures(guest: Guest, directory: Path, random: Random) -> None:
    unsigned, initrd = paths.CAPTURE_KERNEL.read_bytes(), paths.CAPTURE_INITRD.read_bytes()
    signer, stranger = Signer.trusted("signer"), Signer.stranger(directory)
    signed = signer.sign(unsigned)
    table, length = certificate_table(signed)
    await load(guest, Files(unsigned), "none")
    # A distribution's kernel is signed like that for a kernel that was built elsewhere.
    strangers = Files(stranger.sign(unsigned))
    await load(guest, strangers, "unknown signer")
    assert KNOWN_TO_NOBODY in await guest.shell("dmesg")
    altered = flip(strangers.kernel, random.randrange(0x1000, table))
    await refuse(guest, Files(altered), "EKEYREJECTED", OTHER_FILE)
    await load(guest, Files(signed))
    await tighten(guest)
    await refuse(guest, Files(unsigned), "ENODATA", UNSIGNED)
    for _ in range(3):
        changed = flip(signed, random.randrange(0x1000, table), 1 << random.randrange(8))
        await refuse(guest, Files(changed), "EKEYREJECTED", OTHER_FILE)
    await refuse(guest, Files(attach(flip(unsigned, 0x10000), signed)), "EKEYREJECTED", OTHER_FILE)
    await refuse(guest, strangers, "ENOKEY", UNKNOWN_KEY)
    # A signed kernel that is compressed is still signed.
    await load(guest, Files(gzip.compress(signed, 1)))
    await refuse(guest, Files(gzip.compress(unsigned, 1)), "ENODATA", UNSIGNED)
    await refuse(guest, Files(gzip.compress(changed, 1)), "EKEYREJECTED", OTHER_FILE)
    expired = Signer.trusted("expired").sign(unsigned)
    await refuse(guest, Files(expired), "EKEYREJECTED", f"the kernel's {REJECTED}")
    await refuse(
        guest,
        Files(signed[:-16]),
        "ELIBBAD",
        f"the certificate table ends at {table + length:#x}, but the file has "
        f"{table + length - 16:#x} bytes, so that the signature is cut off: sign the "
        "kernel again",
    )
    wrong = signer.detached(b"another initrd")
    await refuse(
        guest,
        Files(signed, initrd_signature=wrong),
        "EKEYREJECTED",
        f"the initrd's {REJECTED}",
    )

    good = Files(signed, initrd_signature=signer.detached(initrd))
    if paths.ARCH == "x86_64":
        # An ELF file has no place for a signature.
        vmlinux = paths.CAPTURE_VMLINUX.read_bytes()
        await refuse(guest, Files(vmlinux), "ENODATA", UNSIGNED)
        signature = signer.detached(vmlinux)
        changed = flip(vmlinux, random.randrange(0x1000, len(vmlinux)))
        await refuse(guest, Files(changed, signature), "EKEYREJECTED", f"the kernel's {REJECTED}")
        good = Files(vmlinux, signature, good.initrd_signature)
    await keep_what_is_signed(guest, signer, initrd)
    await load(guest, good)
    await lock_down(guest)
    await refuse(guest, Files(unsigned), "ENODATA", UNSIGNED)
    await guest.crash()
    await guest.captured()
