# SPDX-License-Identifier: GPL-2.0
"""The tools that people open dumps with, as scripts/tools unpacks them."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from harness import paths
from harness.machine.platform import PLATFORM

TOOLS = paths.BUILD / "tools" / paths.ARCH
# Seconds for one run of a tool. On a host that does nothing else it takes a few.
PATIENCE = 600


def available(*names: str) -> bool:
    """Whether these tools are there, and makedumpfile can open dumps of the guests' kernel.

    makedumpfile 1.7.8 knows addresses of 52 bits with pages of 64 KiB only
    (`calculate_plat_config`).
    """
    has_52_bits = paths.has(paths.TARGET, "ARM64_VA_BITS_52")
    if "makedumpfile" in names and has_52_bits and not paths.has(paths.TARGET, "ARM64_64K_PAGES"):
        return False
    return all((TOOLS / name).exists() for name in names)


def crash_does_not_know() -> str:
    """The reason why crash 9.0.2 cannot open dumps of the guests' kernel, "" if it can."""
    if not {"7", "stock"}.isdisjoint(paths.TARGET.split("-")):
        return "crash 9.0.2 does not know the modules of 7.x kernels"
    if paths.has(paths.TARGET, "ARM64_VA_BITS_52"):
        return "crash 9.0.2 does not know arm64 kernels with 4 KiB pages and 52-bit addresses"
    return ""


def makedumpfile_does_not_know(vmcoreinfo: Mapping[str, str]) -> str:
    """The reason why makedumpfile mistakes pages of this kernel for others, "" if it does not.

    Linux 7.1 renamed page.compound_head, by which a page is known to be the tail of a larger one.
    Without it each tail is judged by itself. makedumpfile has known the new name since its commit
    f50c015f150f ("Fix wrong exclusion of compound tail pages on Linux 7.1 and later").
    """
    name = "page.compound_info"
    [program] = (TOOLS / "root" / "usr").glob("*bin/makedumpfile")
    if f"OFFSET({name})" in vmcoreinfo and name.encode() not in program.read_bytes():
        return (
            f"this makedumpfile does not know {name} of 7.x kernels, and loses pages that they need"
        )
    return ""


@cache
def _emulator() -> list[str] | None:
    """What runs the guests' programs on this machine: None if nothing does.

    It is empty where the machine runs them itself.
    """
    machine = PLATFORM.qemu.removeprefix("qemu-system-")
    if platform.machine() == machine:
        return []
    found = filter(None, map(shutil.which, (f"qemu-{machine}-static", f"qemu-{machine}")))
    return next(([program] for program in found), None)


def runs_in_guests(name: str) -> bool:
    """Whether a program is there, and this machine can ask its loader what it needs."""
    return available(name) and _emulator() is not None


@cache
def with_libraries(name: str) -> dict[str, Path]:
    """A program, and the libraries that it needs, by the names that they have in a guest.

    They are from where scripts/tools has unpacked them. The loader is asked on this machine.
    """
    root = TOOLS / "root"
    [program] = (root / "usr").glob(f"*bin/{name}")
    # Where programs name it: in /lib64 on x86_64, in /lib on arm64.
    named = [*(root / "lib64").glob("ld-linux-*.so.?"), *(root / "lib").glob("ld-linux-*.so.?")][0]
    loader = named.resolve()
    listed = subprocess.run(
        [*(_emulator() or []), loader, "--library-path", loader.parent, "--list", program],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    libraries = [Path(line.split()[2]) for line in listed.splitlines() if "=> /" in line]
    return {
        f"bin/{name}": program,
        f"{named.relative_to(root)}": loader,
        **{f"lib/{library.name}": library for library in libraries},
    }


def run(name: str, *arguments: str | Path, stdin: str = "") -> str:
    """The output of a tool, which must succeed."""
    finished = subprocess.run(
        [TOOLS / name, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        env={**os.environ, "TERM": "dumb"},
    )
    assert finished.returncode == 0, f"{name}: {finished.stdout[-2000:]}{finished.stderr[-2000:]}"
    return finished.stdout


def makedumpfile(dump: Path, out: Path, *options: str) -> None:
    """Filters a dump."""
    out.unlink(missing_ok=True)
    run("makedumpfile", *options, "--message-level", "4", dump, out)


def rkdump(*words: str | Path) -> None:
    """Runs this machine's rkdump, by the name that is the first word."""
    subprocess.run(words, executable=paths.RKDUMP_ON_HOST, check=True, capture_output=True)


def makedumpfile_dmesg(dump: Path, out: Path, *options: str) -> str:
    """The kernel's log, by makedumpfile."""
    out.unlink(missing_ok=True)
    run("makedumpfile", "--dump-dmesg", *options, dump, out)
    return out.read_text(errors="replace")


def crash(dump: Path, *commands: str) -> str:
    """The output of crash for these commands."""
    script = "".join(f"{command}\n" for command in (*commands, "quit"))
    return run("crash", "-s", "--no_scroll", paths.VMLINUX, dump, stdin=script)


def gdb(dump: Path, kernel_offset: int, *commands: str) -> str:
    """The output of gdb for these commands."""
    options = [
        argument
        for command in (
            "set pagination off",
            f"symbol-file -o {kernel_offset:#x} {paths.VMLINUX}",
            f"core-file {dump}",
            *commands,
        )
        for argument in ("-ex", command)
    ]
    return run("gdb", "-nx", "-batch", *options)


def rkexec(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Runs the guests' rkexec on this machine."""
    command = (*(_emulator() or ()), paths.RKEXEC, *words)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def report(dump: Path) -> str:
    """The crash report of a dump."""
    finished = rkexec("report", dump, "--json")
    finished.check_returncode()
    return finished.stdout


def words(text: str, patterns: Sequence[str]) -> list[str]:
    """The patterns that are not in the text."""
    return [pattern for pattern in patterns if not re.search(pattern, text, re.MULTILINE)]
