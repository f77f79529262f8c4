# SPDX-License-Identifier: GPL-2.0
"""What is wrong with a kernel tree is said at once, in a sentence, by `scripts/check-tree`.

The trees here are made of links to the files of the guests' own kernel, which is a good one.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import paths

CHECK = paths.TOP / "scripts" / "check-tree"
GOOD = (paths.BUILD / "kernel" / paths.TARGET).resolve()
IMAGE = {"x86_64": "arch/x86/boot/bzImage", "arm64": "arch/arm64/boot/Image"}[paths.ARCH]

# Both files have the configuration, and are copied.
CONFIGURATION = (".config", "include/config/auto.conf", "include/config/kernel.release")


def tree(directory: Path) -> Path:
    """A good tree."""
    made = directory / "tree"
    shutil.rmtree(made, ignore_errors=True)
    for name in (*CONFIGURATION, "Module.symvers", IMAGE):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        if name in CONFIGURATION:
            shutil.copy(GOOD / name, made / name)
        else:
            (made / name).symlink_to(GOOD / name)
    (made / "vmlinux").symlink_to(paths.VMLINUX)
    (made / "drivers").mkdir(exist_ok=True)
    return made


def check(made: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the script says of a tree."""
    return subprocess.run(
        [CHECK, made, "guest"],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def configured(*changes: str) -> Callable[[Path], None]:
    """Lines of the configuration are others: `OPTION` is not set, `OPTION=m` is a module."""

    def change(made: Path) -> None:
        for name in CONFIGURATION[:2]:
            text = (made / name).read_text()
            for one in changes:
                option, _, value = one.partition("=")
                line = f"CONFIG_{option}={value}" if value else ""
                text = re.sub(rf"^CONFIG_{option}=.*$", line, text, flags=re.MULTILINE)
            (made / name).write_text(text)

    return change


def without(*names: str) -> Callable[[Path], None]:
    """These files are not there."""

    def change(made: Path) -> None:
        for name in names:
            (made / name).unlink()

    return change


def older(made: Path) -> None:
    """The kernel is of a version that the module does not build for."""
    (made / "include/config/kernel.release").write_text("6.6.30-custom\n")


def changed(made: Path) -> None:
    """The configuration was changed and not built."""
    with open(made / ".config", "a") as file:
        file.write("CONFIG_LOCKDEP=y\n")


def source(made: Path) -> None:
    """A source that is built elsewhere."""
    without(*CONFIGURATION, "Module.symvers", IMAGE, "vmlinux")(made)
    (made / "Kconfig").touch()


def stripped(made: Path) -> None:
    """The kernel's ELF file has no debug information."""
    (made / "vmlinux").unlink()
    # Any ELF file that has none.
    (made / "vmlinux").symlink_to(paths.RKEXEC)


CONSOLE = {"x86_64": "SERIAL_8250_CONSOLE", "arm64": "SERIAL_AMBA_PL011_CONSOLE"}[paths.ARCH]


@dataclass(frozen=True)
class Broken:
    """Something wrong, and parts of the sentences that say so."""

    name: str
    change: Callable[[Path], None]
    said: tuple[str, ...]


BROKEN = (
    Broken("no-rust", configured("RUST"), ("CONFIG_RUST ", "--enable RUST")),
    Broken("no-modules", configured("MODULES"), ("CONFIG_MODULES ", "--enable MODULES")),
    Broken("no-kprobes", configured("KPROBES"), ("CONFIG_KPROBES ", "--enable KPROBES")),
    Broken("no-kallsyms", configured("KALLSYMS"), ("CONFIG_KALLSYMS ", "--enable KALLSYMS")),
    Broken("no-crash-dump", configured("CRASH_DUMP"), ("CONFIG_CRASH_DUMP ",)),
    Broken("no-console", configured(CONSOLE), (f"CONFIG_{CONSOLE} ", "serial port")),
    Broken(
        "no-virtio",
        configured("VIRTIO_PCI", "VIRTIO_CONSOLE", "VIRTIO_BLK"),
        ("--enable VIRTIO_PCI --enable VIRTIO_CONSOLE --enable VIRTIO_BLK",),
    ),
    Broken("no-driver", configured("VIRTIO_BLK=m"), ("CONFIG_VIRTIO_BLK=m, and no virtio_blk.ko",)),
    Broken(
        "no-debug-info",
        configured("DEBUG_INFO"),
        ("CONFIG_DEBUG_INFO ", "--enable DEBUG_INFO_DWARF5 --disable DEBUG_INFO_NONE"),
    ),
    Broken(
        "another-rustc",
        configured('RUSTC_VERSION_TEXT="rustc 1.0.0-dev"'),
        ('was built with "rustc 1.0.0-dev"', "KERNEL_RUSTC"),
    ),
    Broken("too-old", older, ("is 6.6.30, which is too old: 6.12 is the first",)),
    Broken("not-a-directory", lambda made: shutil.rmtree(made), ("is not a directory",)),
    Broken("no-config", without(*CONFIGURATION[:2]), ("has no .config",)),
    Broken("source", source, ("is the source of a kernel", "O=")),
    Broken(
        "not-built",
        without("include/config/auto.conf", "Module.symvers", IMAGE, "vmlinux"),
        ("is configured and not built", "make -C"),
    ),
    Broken(
        "headers-only",
        without(IMAGE, "vmlinux"),
        ("has the headers of a kernel only", "in which it was built"),
    ),
    Broken("no-vmlinux", without("vmlinux"), ("has no vmlinux",)),
    Broken("stripped", stripped, ("has no debug information",)),
    Broken(
        "no-key",
        configured("RUST=y\nCONFIG_MODULE_SIG_FORCE=y"),
        ("takes signed modules only", "certs/signing_key.pem"),
    ),
    Broken("changed", changed, ("is newer than the kernel that was built there",)),
)


def test_a_good_tree(directory: Path) -> None:
    """Nothing is said, and nothing is written to it."""
    made = tree(directory)
    before = sorted(made.rglob("*"))
    found = check(made)
    assert (found.returncode, found.stderr) == (0, "")
    assert sorted(made.rglob("*")) == before


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_tree(directory: Path, broken: Broken) -> None:
    """The sentence names what is wrong, and where, and no other sentence comes."""
    made = tree(directory)
    broken.change(made)
    found = check(made)
    assert found.returncode == 1
    assert str(made) in found.stderr
    assert all(part in found.stderr for part in broken.said), found.stderr
    assert found.stderr.count("check-tree: ") == 1, found.stderr


def test_compilers_that_are_not_the_first(directory: Path) -> None:
    """The lines to paste name them: with those in PATH the kernel would come without Rust."""
    made = tree(directory)
    configured("RUST")(made)
    programs = directory / "programs"
    programs.mkdir(exist_ok=True)
    for name in ("rustc", "bindgen"):
        (programs / name).write_text("#!/bin/sh\necho 0.1.0\n")
        (programs / name).chmod(0o755)
    found = check(made, PATH=f"{programs}:{os.environ['PATH']}").stderr
    lines = [line for line in found.splitlines() if line.startswith("  make -C ")]
    assert any(line.endswith(" rustavailable") for line in lines), found
    for line in lines:
        tools = r" RUSTC=/\S+/rustc HOSTRUSTC=/\S+/rustc BINDGEN=/\S+/bindgen "
        assert re.search(tools, line), found
        assert str(programs) not in line, found


@pytest.mark.skipif(paths.ARCH != "x86_64", reason="the option is x86_64's")
def test_a_kernel_that_stays_in_its_place(directory: Path) -> None:
    """It cannot be a capture kernel."""
    made = tree(directory)
    configured("RELOCATABLE")(made)
    assert "--enable RELOCATABLE" in check(made).stderr


@pytest.mark.skipif(paths.ARCH != "x86_64", reason="an arm64 kernel has 64 bits")
def test_a_kernel_of_32_bits(directory: Path) -> None:
    """It is what tinyconfig makes."""
    made = tree(directory)
    configured("X86_64", "RUST=y\nCONFIG_X86_32=y")(made)
    assert "has 32 bits" in check(made).stderr


def test_another_architecture(directory: Path) -> None:
    """It is told from the configuration."""
    other = "arm64" if paths.ARCH == "x86_64" else "x86_64"
    found = check(tree(directory), ARCH=other)
    assert f"is for another architecture than {other}: say which in ARCH=" in found.stderr
