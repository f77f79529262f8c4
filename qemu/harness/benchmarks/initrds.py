# SPDX-License-Identifier: GPL-2.0
"""Initrds for capture kernels: the guests' own with a program more, and one as small as it can be.

A program that is in the initrd takes as much memory as it would where somebody has set that up. One
that is sent to the guest at run time would take that too, but at another moment.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness import paths
from harness.dump.tools import runs_in_guests, with_libraries
from harness.images.cpio import archive

# The words that /init ends with in an initrd that saves a dump by itself.
ENDED = "saving has ended with status"

# Links to busybox that its shell finds.
APPLETS = ("dd", "insmod", "mount", "sh", "sleep", "sync")

Files = Mapping[str, Path]


# The kernel has as much of what it unpacks in memory once more. Without this it is some MiB, for an
# archive that is hardly smaller.
WINDOW = "--zstd=windowLog=17"


def packed(root: Path) -> bytes:
    """A directory as an initrd."""
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    return subprocess.run(
        ["zstd", "--quiet", "-10", WINDOW],
        input=archive(root, names),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def _lay(root: Path, files: Files) -> None:
    """Copies files into a directory, by the names that they have there."""
    for name, file in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, path)
        path.chmod(0o755)


def has_makedumpfile() -> bool:
    """Whether it is there, and can be packed."""
    return runs_in_guests("makedumpfile")


def makedumpfile() -> Files:
    """makedumpfile, and the libraries that it needs."""
    return with_libraries("makedumpfile")


def rkdump() -> Files:
    """rkdump, which needs nothing else."""
    return {"bin/rkdump": paths.RKDUMP}


def of_the_guests(files: Files) -> bytes:
    """The initrd that the guests' capture kernels have, with files more."""
    initrd = paths.CAPTURE_INITRD.read_bytes()
    if not files:
        return initrd
    with tempfile.TemporaryDirectory() as directory:
        _lay(Path(directory), files)
        return initrd + packed(Path(directory))


def small(files: Files, module: bool, script: str) -> bytes:
    """An initrd with busybox, the drivers, these files and, where it is asked for, our module.

    Its /init runs the script, says on the console how that ended, and waits.
    """
    with tempfile.TemporaryDirectory() as directory:
        whole, root = Path(directory) / "whole", Path(directory) / "root"
        whole.mkdir()
        with subprocess.Popen(
            ["zstd", "--quiet", "--decompress", "--stdout", paths.CAPTURE_INITRD],
            stdout=subprocess.PIPE,
        ) as unpacked:
            subprocess.run(
                ["cpio", "--quiet", "--extract", "--make-directories"],
                cwd=whole,
                stdin=unpacked.stdout,
                check=True,
            )
        drivers = [str(file.relative_to(whole)) for file in whole.glob("lib/drivers/*")]
        modules = sorted(drivers) + [paths.GUEST_MODULE.lstrip("/")] * module
        taken = {name: whole / name for name in ("bin/busybox", *modules)}
        _lay(root, {**taken, **files})
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        # makedumpfile has a file in /tmp.
        for name in ("dev", "proc", "sys", "tmp"):
            (root / name).mkdir()
        init = [
            "#!/bin/sh",
            "mount -t proc proc /proc",
            "mount -t sysfs sysfs /sys",
            "mount -t devtmpfs devtmpfs /dev",
            *(f"insmod /{name}" for name in modules),
            f"( {script} )",
            f'echo "{ENDED} $?"',
            "while :; do sleep 1000; done",
        ]
        (root / "init").write_text("".join(f"{line}\n" for line in init))
        (root / "init").chmod(0o755)
        return packed(root)
