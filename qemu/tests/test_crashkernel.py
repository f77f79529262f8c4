# SPDX-License-Identifier: GPL-2.0
"""rkexec crashkernel, beside the kernel's own parser and reservation, compiled for the host."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.dump.tools import rkexec
from harness.paths import ARCH, BUILD, TARGET, TOP

PROGRAM = TOP / "qemu" / "tests" / "crashkernel.c"
KERNEL_ARCH = {"x86_64": "x86", "arm64": "arm64"}[ARCH]
HEADER = "crash_reserve.h"
INCLUDE = re.compile(r"^#include\s*[<\"](?P<name>[^>\"]+)[>\"]", re.MULTILINE)

MIB, GIB = 1 << 20, 1 << 30

# What can stand for a number, a word or a separator, in lines that are put together at random.
PIECES = (
    *("0", "1", "64M", "256M", "1G", "4G", "0x4000000", "0400", "512m", "3072M", "2g", "6G", "7T"),
    *(",high", ",low", ",cma", "@", "-", ":", ",", " ", '"', "@16M", "@3G", "-4G:64M", "4G-:1G"),
    *("crashkernel=", " crashkernel=", " quiet crashkernel=", "1G-2G:32M,", "\t", "k", "E", "x"),
)

# Lines that people write, and such as they get wrong.
LINES = (
    *("", "quiet", "crashkernel", "crashkernel=", "crashkernel=256M", "crashkernel=256", "ro"),
    *("crashkernel=1g", "crashkernel=0x10000000", "crashkernel=01000000000", "crashkernel=0"),
    *("crashkernel=256M@16M", "crashkernel=256M@0", "crashkernel=256M@17M", "crashkernel=64M@3G"),
    *("crashkernel=256M@0x10000000", "crashkernel=2G@1G", "crashkernel=3G", "crashkernel=5G"),
    *("crashkernel=6G", "crashkernel=256M,high", "crashkernel=2G,high", "crashkernel=4G,high"),
    "crashkernel=512M,high crashkernel=128M,low",
    "crashkernel=128M,low crashkernel=512M,high",
    "crashkernel=512M,high crashkernel=0,low",
    "crashkernel=512M,high crashkernel=4G,low",
    "crashkernel=512M,high crashkernel=x,low",
    "crashkernel=128M,low",
    "crashkernel=256M crashkernel=128M,low",
    "crashkernel=256M crashkernel=512M,high",
    "crashkernel=256M crashkernel=64M",
    "crashkernel=256M crashkernel=64M,cma",
    "crashkernel=64M,cma",
    "crashkernel=256M,high crashkernel=64M,cma crashkernel=32M,cma",
    "crashkernel=512M-2G:64M,2G-:128M",
    "crashkernel=512M-2G:64M,2G-:128M@16M",
    "crashkernel=512M-2G:64M",
    "crashkernel=1G-4G:192M,4G-64G:256M,64G-:512M",
    "crashkernel=0-:256M",
    "crashkernel=4G-8G:0",
    "crashkernel=4G-2G:64M",
    "crashkernel=1G:64M",
    "crashkernel=1G-2G",
    "crashkernel=1G-8G:7G",
    "crashkernel=auto",
    "crashkernel=256MB",
    "crashkernel=256M,",
    "crashkernel=256M,middle",
    "crashkernel=256M,highest",
    'crashkernel="256M"',
    '"crashkernel=256M"',
    'a="crashkernel=256M quiet"',
    "nocrashkernel=256M",
    "crashkernel=256M\tquiet",
    "-- crashkernel=256M",
    "crashkernel=16E",
    "crashkernel=99999999999999999999",
)

# Rules that rkexec keeps and the kernel does not: what cannot have been meant is refused.
STRICTER = ("goes on with", "where a number", "larger than any", "where '", "goes from")


@dataclass(frozen=True)
class Machine:
    """A machine's free memory, as /proc/iomem shows it."""

    free: tuple[range, ...]

    @property
    def ram(self) -> int:
        """All of its memory, in bytes."""
        return sum(len(piece) for piece in self.free)

    @property
    def iomem(self) -> str:
        """The text of /proc/iomem."""
        return "".join(
            f"{piece.start:08x}-{piece.stop - 1:08x} : System RAM\n" for piece in self.free
        )


MACHINES = (
    Machine((range(0x1000, 0x9F000), range(MIB, 3 * GIB), range(4 * GIB, 7 * GIB))),
    Machine((range(MIB, 900 * MIB),)),
    Machine((range(GIB, GIB + 300 * MIB), range(2 * GIB, 5 * GIB), range(8 * GIB, 9 * GIB))),
)


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernel's own parser, with empty files for the headers that it does not need."""
    source = BUILD / "kernel" / TARGET / "source"
    directory = tmp_path_factory.mktemp("parser")
    files = {
        "kernel/crash_reserve.c": source / "kernel" / "crash_reserve.c",
        "lib/cmdline.c": source / "lib" / "cmdline.c",
        f"linux/{HEADER}": source / "include" / "linux" / HEADER,
        f"asm/{HEADER}": source / f"arch/{KERNEL_ARCH}/include/asm" / HEADER,
    }
    texts = {name: file.read_text() for name, file in files.items()}
    for text in list(texts.values()):
        for match in INCLUDE.finditer(text):
            texts.setdefault(match["name"], "")
    for name, text in texts.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    program = directory / "parser"
    knows_cma = ["-DKNOWS_CMA"] if ",cma" in texts["kernel/crash_reserve.c"] else []
    subprocess.run(["gcc", "-w", *knows_cma, "-I", directory, PROGRAM, "-o", program], check=True)
    return program


def theirs(parser: Path, machine: Machine, lines: list[str]) -> list[list[int]]:
    """What the kernel makes of each line."""
    free = "".join(f" {piece.start:#x}-{piece.stop:#x}" for piece in machine.free)
    text = "".join(f"{machine.ram:#x}{free}\t{line}\n" for line in lines)
    done = subprocess.run(
        [parser], input=text, capture_output=True, text=True, check=True, errors="replace"
    )
    return [[int(number) for number in line.split()] for line in done.stdout.splitlines()]


def ours(machine: Machine, line: str, directory: Path) -> dict[str, Any]:
    """What rkexec makes of a line."""
    iomem = directory / "iomem"
    iomem.write_text(machine.iomem)
    release = (BUILD / "kernel" / TARGET / "include/config/kernel.release").read_text().strip()
    options = ("--json", "--iomem", iomem, "--linux", release, "--arch", ARCH)
    done = rkexec("crashkernel", *options, "--", line)
    assert done.returncode in (0, 1), done
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def numbers(report: dict[str, Any]) -> list[int]:
    """Our answer in the form of the kernel's."""
    asked = report["asked"]
    if asked is None:
        return [0] * 9
    answer = [1, asked["len"], int(asked["at"] or "0", 16), asked["high"], asked["cma_len"]]
    regions = report["reserved"] or {"region": None, "low_region": None}
    for name in ("region", "low_region"):
        region = regions[name] or {"start": "0", "len": 0}
        answer += [int(region["start"], 16), region["len"]]
    return answer


def test_every_line_means_what_it_means_to_the_kernel(
    parser: Path, tmp_path: Path, random: Random
) -> None:
    """What is asked for, and where it is reserved; more is refused, with a sentence."""
    lines = list(LINES)
    while len(lines) < 300:
        count = random.randrange(1, 7)
        lines.append("crashkernel=" + "".join(random.choice(PIECES) for _ in range(count)))
    accepted = 0
    for index, machine in enumerate(MACHINES):
        # Every machine gets the lines that people write, and its own share of the others.
        share = lines[: len(LINES)] + lines[len(LINES) + index :: len(MACHINES)]
        for line, expected in zip(share, theirs(parser, machine, share), strict=True):
            report = ours(machine, line, tmp_path)
            found = numbers(report)
            if found != expected:
                reason = report["reason"] or ""
                assert any(part in reason for part in STRICTER), (line, report, expected)
            accepted += found[0]
    assert accepted > 60
