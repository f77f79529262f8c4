# SPDX-License-Identifier: GPL-2.0
"""Kernels that come packed: each is loaded, and one of them boots with what came with it."""

import gzip
import subprocess

from harness import paths
from harness.cases.case import MACHINE
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.images.packed import unified, zboot
from harness.testing import in_guest

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
