# SPDX-License-Identifier: GPL-2.0
"""Kernels that come packed: each is loaded, and one of them boots with what came with it."""

import gzip
import subprocess

import pytest

from harness import paths
from harness.cases.case import MACHINE
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.images.bzimage import (
    COMPRESSIONS,
    compressed,
    field,
    payload_place,
    with_fields,
    with_payload,
)
from harness.images.layout import flip
from harness.images.packed import unified, zboot
from harness.machine.hardware import Hardware
from harness.testing import in_guest
from harness.units import MIB

# Digests of one load can be compared with those of another.
SHA256 = "--digest=sha256"


def zstd(contents: bytes) -> bytes:
    """The contents, compressed by zstd."""
    compressed = subprocess.run(
        ("zstd", "--quiet", "-3"), input=contents, capture_output=True, check=True
    )
    return compressed.stdout


@in_guest()
async def test_formats(guest: Guest) -> None:
    kernel, initrd = paths.CAPTURE_KERNEL.read_bytes(), paths.CAPTURE_INITRD.read_bytes()
    packed = {"gzip": gzip.compress(kernel, 1), "zstd": zstd(kernel)}
    if paths.ARCH == "arm64":
        packed["zboot"] = zboot(kernel)
    await guest.load(CAPTURE, SHA256)
    plain = (await guest.status()).segments["kernel"]
    for name, file in packed.items():
        await guest.unload()
        await guest.send("/tmp/kernel", file)
        (await guest.rkexec("--load-panic", "/tmp/kernel", SHA256)).check()
        # The same bytes are loaded, whatever they came in.
        segment = (await guest.status()).segments["kernel"]
        assert segment.digest == plain.digest, name
    # The deepest packing that there is.
    packed_twice = unified(MACHINE, packed.get("zboot", packed["gzip"]), initrd, CAPTURE)
    await guest.send("/tmp/kernel", gzip.compress(packed_twice, 1))
    (await guest.rkexec("--load-panic", "/tmp/kernel", SHA256)).check()
    segments = (await guest.status()).segments
    assert segments["kernel"].digest == plain.digest
    assert len(segments["initrd"].file) == len(initrd)
    await guest.crash()
    await guest.captured()
    # The capture kernel's own command line is the one that came with it.
    assert CAPTURE in await guest.read("/proc/cmdline")


bzimages_only = pytest.mark.skipif(
    paths.ARCH != "x86_64", reason="only bzImages have a kernel in them"
)


def inner_kernel() -> bytes:
    """The ELF file in the guest's bzImage, which is compressed by gzip."""
    kernel = paths.CAPTURE_KERNEL.read_bytes()
    start = payload_place(kernel)
    return gzip.decompress(kernel[start : start + field(kernel, "payload_length")])


async def load(guest: Guest, kernel: bytes, *options: str) -> None:
    """Loads this kernel alone."""
    await guest.send("/tmp/kernel", kernel)
    (await guest.rkexec("--load-panic", "/tmp/kernel", SHA256, *options)).check()


async def stays_compressed(guest: Guest) -> str | None:
    """The reason for which the loaded bzImage decompresses itself, if it does."""
    decompression = (await guest.status()).decompression
    assert decompression is not None
    assert (decompression.when == "at load") == (decompression.reason is None)
    return decompression.reason


@bzimages_only
@in_guest()
async def test_compressions(guest: Guest) -> None:
    kernel, inner = paths.CAPTURE_KERNEL.read_bytes(), inner_kernel()
    await load(guest, inner)
    segments = (await guest.status()).segments
    packed = {name: with_payload(kernel, compressed(inner, name)) for name in COMPRESSIONS}
    own = {"bzip2", "lzma"}
    for name in packed.keys() - own:
        await load(guest, packed[name])
        assert await stays_compressed(guest) is None, name
        # The same bytes are loaded, whatever they came in.
        assert (await guest.status()).segments["kernel"].digest == segments["kernel"].digest, name
    # What is damaged is refused, and what was loaded stays.
    before = await guest.status()
    for name in packed.keys() - own:
        # lz4 has no checksum, but it has the length of the block after its magic number.
        middle = field(packed[name], "payload_length") // 2
        place = payload_place(packed[name]) + (6 if name == "lz4" else middle)
        await guest.send("/tmp/kernel", flip(packed[name], place, 0xFF))
        refused = await guest.rkexec("--load-panic", "/tmp/kernel")
        assert f"its {name} data are damaged" in refused.stderr, name
        assert await guest.status() == before
    for name in own:
        await load(guest, packed[name])
        reason = await stays_compressed(guest)
        assert reason is not None and "bzip2 or LZMA" in reason
    await load(guest, kernel, "--command-line=mem_encrypt=on")
    assert "mem_encrypt=on" in str(await stays_compressed(guest))
    await load(guest, with_payload(kernel, compressed(b"no kernel", "gzip")))
    assert "no ELF kernel" in str(await stays_compressed(guest))
    # The packing that is farthest from the guest's own.
    await guest.send(paths.GUEST_KERNEL, packed["lzo"])
    await guest.load()
    await guest.crash()
    await guest.captured()


# The file has a place in a region that is too small for the kernel in it.
FILE_MIB = -(-paths.CAPTURE_KERNEL.stat().st_size // MIB)
REGION_MIB = FILE_MIB + 4


@bzimages_only
@in_guest(Hardware(memory_mib=1024), f"crashkernel={REGION_MIB}M")
async def test_no_room_for_the_inner_kernel(guest: Guest) -> None:
    kernel = paths.CAPTURE_KERNEL.read_bytes()
    await guest.send("/tmp/kernel", kernel)
    refused = await guest.rkexec("--load-panic", "/tmp/kernel")
    assert "the kernel needs" in refused.stderr and "EADDRNOTAVAIL" in refused.stderr
    # The header of this one says less than the decompressed kernel needs.
    await load(guest, with_fields(kernel, init_size=FILE_MIB * MIB))
    assert "has no place in the crash region" in str(await stays_compressed(guest))
