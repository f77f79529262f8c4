# SPDX-License-Identifier: GPL-2.0
"""Signed kernels, with and without a policy that requires signatures."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.cases.case import GOOD, Case
from harness.images.layout import flip, patch
from harness.images.pe import (
    DIRECTORIES,
    DIRECTORY_LEN,
    certificate_table,
    optional_header,
    with_certificate_table,
)
from harness.images.signing import Signer, attach
from harness.units import KIB, MIB


def unenforced(directory: Path) -> Iterator[Case]:
    """Signed kernels where no signature is required."""
    unsigned, signer = GOOD(), Signer.trusted("signer")
    stranger = Signer.stranger(directory)
    signed, strangers = signer.sign(unsigned), stranger.sign(unsigned)
    yield Case("signed by a trusted key", signed)
    yield Case("a bit changed in the code", flip(signed, 20 * KIB))
    yield Case("signed by another key", strangers)
    yield Case("signed by another key, a bit changed in the code", flip(strangers, 20 * KIB))
    changed = flip(strangers, digest_place(strangers))
    yield Case("signed by another key, a bit changed in the signed digest", changed)
    yield Case("signed with an expired certificate", Signer.trusted("expired").sign(unsigned))
    detached = stranger.detached(unsigned)
    yield Case("detached signature by another key", unsigned, signature=detached)


def signatures(directory: Path) -> Iterator[Case]:
    """Signed kernels."""
    unsigned, signer = GOOD(), Signer.trusted("signer")
    signed = signer.sign(unsigned)
    table, length = certificate_table(signed)

    def entry(offset: int, contents: bytes) -> bytes:
        return patch(signed, table + offset, contents)

    def placed(start: int, new_length: int) -> bytes:
        return with_certificate_table(signed, start, new_length)

    yield Case("signed by a trusted key", signed)
    yield Case("signed by a trusted key, then compressed", gzip.compress(signed, mtime=0))
    yield Case("not signed", unsigned)
    yield Case("a bit changed in the code", flip(signed, table - 4 * KIB))
    yield Case("a bit changed in the header", flip(signed, 0x30))
    yield Case("a bit changed in the section table", flip(signed, optional_end(signed) + 40))
    yield Case("a bit changed in the signed digest", flip(signed, digest_place(signed)))
    yield Case("the signature's number larger than the key's", overwritten(signed))
    yield Case("signed by another key", Signer.stranger(directory).sign(unsigned))
    expired = Signer.trusted("expired")
    yield Case("signed with an expired certificate", expired.sign(unsigned))
    other = flip(unsigned, len(unsigned) - 1)
    yield Case("signature of another kernel", attach(other, signed))
    yield Case("file cut in the certificate table", signed[: table + length // 2])
    yield Case("certificate table in the headers", placed(0x40, length))
    yield Case("certificate table in the code", placed(table - 4 * KIB, length))
    yield Case("certificate table beyond the file", placed(table, length + 8 * MIB))
    yield Case("certificate table not aligned", placed(table + 4, length - 4))
    yield Case("bytes after the certificate table", signed + bytes(64))
    yield Case("certificate table without an entry", placed(table, 4)[: table + 4])
    yield Case("entry longer than the table", entry(0, (length + 8).to_bytes(4, "little")))
    yield Case("entry of revision 1.0", entry(4, b"\0\1"))
    yield Case("entry of another type", entry(6, b"\1\0"))
    yield Case("entry without PKCS#7", entry(8, b"\0" * 8))
    kernel = replace(Case("", unsigned), signature=signer.detached(unsigned))
    yield replace(kernel, name="detached signature by a trusted key")
    yield replace(kernel, name="detached signature of another file", kernel=other)
    stranger = Signer.stranger(directory).detached(unsigned)
    yield replace(kernel, name="detached signature by another key", signature=stranger)
    yield replace(kernel, name="detached signature that is none", signature=b"signature")
    initrd, wrong = b"initrd" * KIB, b"Initrd" * KIB
    both = Case("", signed, initrd=initrd, initrd_signature=signer.detached(initrd))
    yield replace(both, name="initrd with a signature of its own")
    yield replace(both, name="initrd with another one's signature", initrd=wrong)


def optional_end(file: bytes) -> int:
    """The offset of a PE file's section table."""
    return optional_header(file) + DIRECTORIES + DIRECTORY_LEN


def digest_place(signed: bytes) -> int:
    """The offset of the signed digest: after the first OID of SHA-256 in the signed contents."""
    table, _ = certificate_table(signed)
    sha256 = bytes.fromhex("0609608648016503040201")
    contents = signed.index(bytes.fromhex("2b06010401823702010f"), table)
    # Parameters that are NULL, and the tag and length of an OCTET STRING.
    return signed.index(sha256, contents) + len(sha256) + 4 + 8


def overwritten(signed: bytes) -> bytes:
    """The file with ones in place of the RSA signature, which is the last part of the message."""
    table, _ = certificate_table(signed)
    message = table + 8
    length = int.from_bytes(signed[message + 2 : message + 4], "big")
    end = message + 4 + length
    return patch(signed, end - 256, bytes([0xFF]) * 256)


def locked(directory: Path) -> Iterator[Case]:
    """Kernels for a guest that is locked down."""
    signed = Signer.trusted("signer").sign(GOOD())
    yield Case("signed by a trusted key", signed)
    yield Case("not signed", GOOD())
    yield Case("a bit changed in the code", flip(signed, 20 * KIB))
    yield Case("signed by another key", Signer.stranger(directory).sign(GOOD()))
