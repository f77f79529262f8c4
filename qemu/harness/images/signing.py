# SPDX-License-Identifier: GPL-2.0
"""Signatures, made with sbsign and openssl by keys that the guest's kernel trusts, or does not."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness import paths


@dataclass(frozen=True)
class Signer:
    """A key and its certificate."""

    key: Path
    certificate: Path

    @classmethod
    def trusted(cls, name: str) -> "Signer":
        """A signer that the guest's kernel trusts, from scripts/kernel: `signer`, or `expired`."""
        directory = paths.BUILD / "kernel" / paths.TARGET / "certs"
        return cls(directory / f"{name}.key", directory / f"{name}.pem")

    @classmethod
    def stranger(cls, directory: Path) -> "Signer":
        """A signer that nobody trusts, with its files in this directory."""
        signer = cls(directory / "stranger.key", directory / "stranger.pem")
        run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-batch"),
            *("-subj", "/CN=stranger", "-days", "30"),
            *("-keyout", str(signer.key), "-out", str(signer.certificate)),
        )
        return signer

    def sign(self, image: bytes) -> bytes:
        """The EFI program with a signature in it."""
        with tempfile.TemporaryDirectory() as name:
            unsigned, signed = Path(name, "unsigned"), Path(name, "signed")
            unsigned.write_bytes(image)
            files = ("--key", str(self.key), "--cert", str(self.certificate))
            run("sbsign", *files, "--output", str(signed), str(unsigned))
            return signed.read_bytes()

    def detached(self, contents: bytes) -> bytes:
        """A signature of any file, to be kept in a file of its own.

        The kernel refuses one that lists the algorithms that the signer knows for mail
        (pkcs7_sig_note_authenticated_attr() in 6.12.117), hence -nosmimecap.
        """
        with tempfile.TemporaryDirectory() as name:
            file, signature = Path(name, "file"), Path(name, "signature")
            file.write_bytes(contents)
            run(
                *("openssl", "cms", "-sign", "-binary", "-nosmimecap", "-outform", "DER"),
                *("-md", "sha256", "-signer", str(self.certificate), "-inkey", str(self.key)),
                *("-in", str(file), "-out", str(signature)),
            )
            return signature.read_bytes()


def attach(image: bytes, signed: bytes) -> bytes:
    """The EFI program with the signature of another one."""
    with tempfile.TemporaryDirectory() as name:
        victim, donor, signature = Path(name, "victim"), Path(name, "donor"), Path(name, "p7s")
        victim.write_bytes(image)
        donor.write_bytes(signed)
        run("sbattach", "--detach", str(signature), str(donor))
        run("sbattach", "--attach", str(signature), str(victim))
        return victim.read_bytes()


def run(*argv: str) -> None:
    """Runs a program that has to succeed."""
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr}")
