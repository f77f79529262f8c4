# SPDX-License-Identifier: GPL-2.0
"""The programs that save a dump to a capture kernel's disk, and whether it is one."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import paths
from harness.benchmarks.initrds import Files, makedumpfile, rkdump
from harness.dump.dump import Dump
from harness.dump.tools import PATIENCE, TOOLS

DEVICE = "/dev/vda"

# What the crash's last line has.
PANIC = "sysrq triggered crash"


@dataclass(frozen=True)
class Tool:
    """A program that saves a dump."""

    name: str
    script: str
    """For a shell; `{file}` is the dump. Its status is 0 if the dump was saved."""
    dump: Callable[[Path], Path]
    """The dump that it left on a disk, as a file that drgn opens."""
    files: Callable[[], Files] = dict
    """What the initrd has to have for it."""


def _run(*command: str | Path, stdin: Path | None = None) -> None:
    """Runs a program on the host, which must succeed."""
    with open(stdin or "/dev/null", "rb") as file:
        finished = subprocess.run(
            command, stdin=file, capture_output=True, text=True, timeout=PATIENCE
        )
    assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"


def _as_it_is(disk: Path) -> Path:
    return disk


def _every_page_read(dump: Path) -> Path:
    """The same, once each of its pages was decompressed."""
    _run(paths.RKDUMP_ON_HOST, "verify", dump)
    return dump


def _extracted(disk: Path) -> Path:
    """What `rkdump` has put on a device."""
    _run(paths.RKDUMP_ON_HOST, "extract", "--force", disk, disk.with_name("extracted"))
    return _every_page_read(disk.with_name("extracted"))


def _rearranged(disk: Path) -> Path:
    """What a flattened dump is the pieces of."""
    out = disk.with_name("rearranged")
    out.unlink(missing_ok=True)
    _run(TOOLS / "makedumpfile", "-R", out, stdin=disk)
    return _every_page_read(out)


TOOLS_THAT_SAVE = (
    Tool(
        "rkdump",
        f"rkdump format --force {DEVICE} && rkdump save -d 31 --progress none {{file}} {DEVICE}",
        _extracted,
        rkdump,
    ),
    Tool(
        "makedumpfile",
        f"makedumpfile -f -c -d 31 {{file}} {DEVICE} && sync",
        _every_page_read,
        makedumpfile,
    ),
    Tool(
        "makedumpfile -F",
        f"set -o pipefail; makedumpfile -F -c -d 31 {{file}} | dd of={DEVICE} bs=1M && sync",
        _rearranged,
        makedumpfile,
    ),
    Tool(
        "dd",
        f"dd if={{file}} of={DEVICE} bs=1M oflag=direct conv=notrunc,fsync",
        _as_it_is,
    ),
)


def is_wrong(tool: Tool, disk: Path) -> str:
    """Why what a program has left is no dump of the crash; "" if it is one."""
    path = disk
    try:
        path = tool.dump(disk)
        with Dump(path) as dump:
            found = dump.panic_message
    except Exception as error:
        return f"the dump cannot be read: {error}"
    finally:
        if path != disk:
            path.unlink(missing_ok=True)
    return "" if found == PANIC else f"the dump's panic is {found}"
