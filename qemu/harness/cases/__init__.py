# SPDX-License-Identifier: GPL-2.0
"""The files of docs/verification.md: good ones, and ones with a single thing wrong with them."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness import images, paths
from harness.images import KIB, MIB, Segment, arm64_image, bzimage, flip, patch
from harness.images.signing import Signer, attach

# Headers that do not say what a good kernel's say.
Wrong = dict[str, dict[str, int | bytes]]


@dataclass(frozen=True)
class Case:
    """One load."""

    name: str
    kernel: bytes
    command_line: str = "console=ttyS0"
    initrd: bytes | None = None
    """The guest's own initrd without."""
    initrd_len: int | None = None
    """Of an initrd of zeros."""
    signature: bytes | None = None
    initrd_signature: bytes | None = None
    unprivileged: bool = False


@dataclass(frozen=True)
class Group:
    """Cases that meet both loaders in one state."""

    title: str
    state: str
    cases: list[Case]


# Each has the architecture's own format in all that is the same for both.
GOOD = {"x86_64": bzimage, "arm64": arm64_image}[paths.ARCH]
FORMAT = {"x86_64": "bzImage", "arm64": "Image"}[paths.ARCH]
MACHINE = {"x86_64": images.AMD64, "arm64": images.ARM64}[paths.ARCH]
ELF_MACHINE = {"x86_64": 62, "arm64": 183}[paths.ARCH]

BZIMAGE: Wrong = {
    "boot sector's signature 0": {"boot_flag": 0},
    "setup header's signature wrong": {"header": b"HdrX"},
    "boot protocol 2.11": {"version": 0x020B},
    "zImage: LOADED_HIGH not set": {"loadflags": 0},
    "XLF_KERNEL_64 not set": {"xloadflags": 0x7E},
    "XLF_CAN_BE_LOADED_ABOVE_4G not set": {"xloadflags": 0x7D},
    "XLF_5LEVEL not set, on a machine with 5-level paging": {"xloadflags": 0x5F},
    "setup header ends too early": {"jump": 0x10EB},
    "setup_sects beyond the file": {"setup_sects": 0xFF},
    "syssize 0": {"syssize": 0},
    "syssize beyond the file": {"syssize": 0x10000},
    "relocatable_kernel 0": {"relocatable_kernel": 0},
    "kernel_alignment not a power of two": {"kernel_alignment": 3 * MIB},
    "init_size less than the code": {"init_size": 4 * KIB},
    "init_size more than the region": {"init_size": 400 * MIB},
    "init_size more than half of memory": {"init_size": 280 * MIB},
    "pref_address above the region": {"pref_address": 1 << 40},
    "cmdline_size 0": {"cmdline_size": 0},
    "cmdline_size beyond any kernel's": {"cmdline_size": 0xFFFFFFFF},
    "payload beyond the code": {"payload_length": 0x10000},
}

ARM64_IMAGE: Wrong = {
    "magic number wrong": {"magic": b"ARM\0"},
    "image_size 0": {"image_size": 0},
    "image_size less than the file": {"image_size": 4 * KIB},
    "image_size more than the region": {"image_size": 400 * MIB},
    "image_size beyond the address space": {"image_size": (1 << 64) - 1},
    "image_size more than half of memory": {"image_size": 280 * MIB},
    "flags: big-endian": {"flags": 0b1011},
    "text_offset 512 KiB, as before Linux 5.8": {"text_offset": 512 * KIB},
    "text_offset not a multiple of a page": {"text_offset": 0x123},
    "text_offset 2 MiB": {"text_offset": 2 * MIB},
}

HEADERS = {"x86_64": BZIMAGE, "arm64": ARM64_IMAGE}[paths.ARCH]


def headers() -> Iterator[Case]:
    """One field of the header at a time, and what becomes of a file on its way."""
    good = GOOD()
    yield Case(f"a good {FORMAT}", good)
    for name, fields in HEADERS.items():
        yield Case(name, GOOD(**fields))
    yield Case("cut in the header", good[:60])
    yield Case("cut in the code", good[: len(good) - 4 * KIB])
    yield Case("damaged PE header", patch(good, images.optional_header(good), b"\0\0"))


def others() -> Iterator[Case]:
    """Other formats, and what is no kernel."""
    good = GOOD()
    yield Case("empty file", b"")
    yield Case("text", b"#!/bin/sh\nexec kexec -p /boot/vmlinuz\n" * 40)
    yield Case("initrd in the kernel's place", b"070701" + b"0" * 2000)
    yield Case("zeros", bytes(64 * KIB))
    yield Case(f"{FORMAT}, compressed by gzip", gzip.compress(good, mtime=0))
    # What is not compressed is the same with every version of zlib.
    stored = gzip.compress(good, 0, mtime=0)
    yield Case("the same with a bit changed", flip(stored, 24 * KIB))
    yield Case("the same, cut", stored[: 24 * KIB])
    yield Case(f"{FORMAT}, compressed by gzip twice", gzip.compress(stored, mtime=0))
    yield Case("xz", b"\xfd7zXZ\0" + bytes(2000))
    yield Case("unified kernel image", images.unified(MACHINE, good, b"initrd" * 99, "quiet"))
    yield Case("unified kernel image, cut", images.unified(MACHINE, good, b"", "")[: 20 * KIB])
    yield Case("EFI program that is no kernel", images.pe(MACHINE, {b".text": bytes(KIB)}))
    if paths.ARCH == "x86_64":
        yield Case("arm64 Image", arm64_image())
    else:
        yield Case("bzImage", bzimage())
        yield Case("EFI zboot (vmlinuz.efi)", images.zboot(good))


def elf() -> Iterator[Case]:
    """vmlinux, and what can be wrong with one."""

    def vmlinux(*segments: Segment, **fields: int) -> bytes:
        if paths.ARCH == "arm64":
            # It is entered where its memory starts.
            fields = {"entry": images.LOAD_ADDRESS} | fields
        contents = images.vmlinux(ELF_MACHINE, segments or (Segment(),), **fields)
        if paths.ARCH == "arm64":
            # The kernel's memory starts with the header of an Image.
            contents = patch(contents, Segment().offset, arm64_image()[:64])
        return contents

    yield Case("vmlinux", vmlinux())
    yield Case("vmlinux for another processor", images.vmlinux(40))
    yield Case("ELF file of 32 bits", vmlinux(elf_class=1))
    yield Case("ELF object file", vmlinux(kind=1))
    yield Case("vmlinux, cut", vmlinux()[: 8 * KIB])
    yield Case("entry point outside all segments", vmlinux(entry=0x1000))
    yield Case("segment with more contents than memory", vmlinux(Segment(memory_len=4 * KIB)))
    yield Case("segment beyond the address space", vmlinux(Segment(memory_len=(1 << 64) - 1)))
    yield Case("segments that overlap", vmlinux(Segment(), Segment(physical=17 * MIB)))
    yield Case("no segment", vmlinux(Segment(kind=4)))


def limits() -> Iterator[Case]:
    """What goes with the kernel, and who may load."""
    # As many bytes as the kernel takes, but a few are added.
    yield Case("command line too long with elfcorehdr= added", GOOD(), "x" * 2040)
    yield Case("command line longer than any kernel's", GOOD(), "x" * 4000)
    yield Case("command line with elfcorehdr=", GOOD(), "elfcorehdr=0x1000")
    memory = "init_size" if paths.ARCH == "x86_64" else "image_size"
    large = GOOD(**{memory: 100 * MIB})
    yield Case("initrd that does not fit beside the kernel", large, initrd_len=230 * MIB)
    yield Case("initrd and kernel more than half of memory", large, initrd_len=150 * MIB)
    yield Case("empty initrd", GOOD(), initrd=b"")
    yield Case("no CAP_SYS_BOOT", GOOD(), unprivileged=True)


def unenforced(directory: Path) -> Iterator[Case]:
    """Signed kernels where nobody asks for a signature."""
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
    table, length = images.certificate_table(signed)

    def entry(offset: int, contents: bytes) -> bytes:
        return patch(signed, table + offset, contents)

    def placed(start: int, new_length: int) -> bytes:
        return images.with_certificate_table(signed, start, new_length)

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
    yield Case("bytes behind the certificate table", signed + bytes(64))
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
    """Where a PE file has its section table."""
    return images.optional_header(file) + images.DIRECTORIES + images.DIRECTORY_LEN


def digest_place(signed: bytes) -> int:
    """Where the signed contents have the digest: behind the OID of SHA-256 that follows theirs."""
    table, _ = images.certificate_table(signed)
    sha256 = bytes.fromhex("0609608648016503040201")
    contents = signed.index(bytes.fromhex("2b06010401823702010f"), table)
    # Parameters that are NULL, and the tag and length of an OCTET STRING.
    return signed.index(sha256, contents) + len(sha256) + 4 + 8


def overwritten(signed: bytes) -> bytes:
    """The file with ones in place of the RSA signature, which is the last part of the message."""
    table, _ = images.certificate_table(signed)
    message = table + 8
    length = int.from_bytes(signed[message + 2 : message + 4], "big")
    end = message + 4 + length
    return patch(signed, end - 256, bytes([0xFF]) * 256)


def locked(directory: Path) -> Iterator[Case]:
    """What a locked-down kernel still takes."""
    signed = Signer.trusted("signer").sign(GOOD())
    yield Case("signed by a trusted key", signed)
    yield Case("not signed", GOOD())
    yield Case("a bit changed in the code", flip(signed, 20 * KIB))
    yield Case("signed by another key", Signer.stranger(directory).sign(GOOD()))


def groups(directory: Path) -> list[Group]:
    """All of them; keys are made in this directory."""
    return [
        Group("The kernel's own header", "by default", list(headers())),
        Group("Other formats", "by default", list(others())),
        Group("ELF", "by default", list(elf())),
        Group("What goes with the kernel", "by default", list(limits())),
        Group("Signatures, by default", "by default", list(unenforced(directory))),
        Group("Signatures, required", "signatures", list(signatures(directory))),
        Group("Lockdown, mode confidentiality", "lockdown", list(locked(directory))),
    ]
