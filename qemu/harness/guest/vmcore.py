# SPDX-License-Identifier: GPL-2.0
"""`/proc/vmcore` in a running capture kernel: after a crash, or in a machine that never crashed."""

import json

from harness import paths
from harness.guest.guest import Guest

# Ours where the capture kernel has a file of its own, and that one.
OURS, THEIRS = paths.OURS, paths.THEIRS
HAS_BOTH = paths.has(paths.CAPTURE_TARGET, "PROC_VMCORE")


async def compare(guest: Guest, seed: int, requests: int, timeout_s: int) -> dict[str, int]:
    """Asks the same of both files; fails on the first difference."""
    finished = await guest.run(
        "vmcore",
        "compare",
        "--ours",
        OURS,
        "--theirs",
        THEIRS,
        "--seed",
        str(seed),
        "--requests",
        str(requests),
        timeout_s=timeout_s,
    )
    compared: dict[str, int] = json.loads(finished.check().stdout)
    return compared


async def measured(guest: Guest, path: str, *options: str, timeout_s: int = 600) -> float:
    """Seconds that it takes to go through a dump once."""
    finished = await guest.run("vmcore", "time", path, *options, timeout_s=timeout_s)
    return float(json.loads(finished.check().stdout)["seconds"])


# The file of a kernel that QEMU boots with prepared memory.
VMCORE = paths.served(paths.TARGET)


async def part(guest: Guest, path: str, offset: int, length: int) -> bytes:
    """A part of a file, which must be the same when it is read and when it is mapped."""
    finished = await guest.run("vmcore", "bytes", path, f"--offset={offset}", f"--len={length}")
    found = json.loads(finished.check().stdout)
    assert found["read"] == found["mapped"], hex(offset)
    return bytes.fromhex(found["read"])


async def check_bytes(guest: Guest, expected: bytes, offset: int) -> None:
    """Compares a part of the file with what it must be."""
    assert await part(guest, VMCORE, offset, len(expected)) == expected, hex(offset)


async def reload(guest: Guest, *parameters: str) -> None:
    """The module anew."""
    await guest.shell("rmmod rust_kexec")
    (await guest.run("insmod", paths.GUEST_MODULE, *parameters)).check()
