# SPDX-License-Identifier: GPL-2.0
"""rkexec estimate --measure, with the guests' own capture kernel and initrd."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from harness import paths
from harness.guest.loading import CAPTURE
from harness.images.cpio import archive
from harness.units import MIB

# The program runs on the host, and beside it is what watches guests of its own architecture.
RKEXEC = paths.BUILD / "bin" / os.uname().machine / "rkexec"

pytestmark = pytest.mark.skipif(
    not (RKEXEC.exists() and paths.ARCH == os.uname().machine),
    reason="this machine has another architecture than the guest",
)

# The steps of the search.
STEP = 4 * MIB

# By how much an estimate may be too large: test_estimate.py.
GENEROSITY = 1.5

# A first program that reads the dump itself, and then waits for nothing.
READER = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox insmod /lib/rust_kexec.ko
exec 3< /proc/vmcore
/bin/busybox wc -c <&3
/bin/busybox ln -s busybox /bin/sleep
exec /bin/sleep 100000
"""


def initrd_of_a_reader(directory: Path) -> Path:
    """The guests' capture initrd with that first program in the place of its own."""
    (directory / "init").write_text(READER)
    (directory / "init").chmod(0o700)
    initrd = paths.CAPTURE_INITRD.read_bytes()
    both = directory / "initrd"
    both.write_bytes(initrd + bytes(-len(initrd) % 4) + archive(directory, ["init"]))
    return both


def measure(
    *options: str, kernel: Path = paths.CAPTURE_KERNEL, initrd: Path = paths.CAPTURE_INITRD
) -> subprocess.CompletedProcess[str]:
    """Runs the command with the guests' command line of a capture kernel."""
    files = ("estimate", str(kernel), f"--initrd={initrd}")
    command = (str(RKEXEC), *files, f"--command-line={CAPTURE}", "--cpus=1", "--measure", *options)
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_least_is_between_the_estimate_and_what_cannot_be_enough(directory: Path) -> None:
    done = measure("--service=sleep", "--json", initrd=initrd_of_a_reader(directory))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    least, tries = report["measured"]["least"], report["measured"]["tries"]
    estimate = max(report["unpacking"], report["saving"])
    # The estimate suffices and is not generous: test_estimate.py. So neither is what was measured.
    assert estimate / GENEROSITY <= least <= estimate + STEP
    enough = {found["len"]: found["sentence"] for found in tries if found["suffices"]}
    too_little = {found["len"]: found["sentence"] for found in tries if not found["suffices"]}
    # The search went on until a guest failed that had one step less.
    assert (min(enough), max(too_little)) == (least, least - STEP)
    assert all("sleep had read /proc/vmcore" in sentence for sentence in enough.values())
    assert report["crashkernel"] == least + STEP


def test_a_service_that_never_starts_is_named() -> None:
    done = measure("--service=kdump-save")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no program kdump-save had run" in done.stderr


def test_a_kernel_that_is_none_is_refused_before_anything_boots() -> None:
    done = measure(kernel=paths.CAPTURE_INITRD)
    assert (done.returncode, done.stdout) == (1, "")
    assert "MiB" not in done.stderr


def test_a_missing_qemu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = measure()
    assert (done.returncode, done.stdout) == (1, "")
    assert "install it (Debian's package is qemu-system-" in done.stderr
