# SPDX-License-Identifier: GPL-2.0
"""The examples of docs/boot-tests.md, as they stand there.

The project's Makefile and `scripts/boot-test` are its own. The scripts that the Makefile calls are
replaced by one that takes no time, and gives the verdict that is in the kernel's tree; so is
apt-get. The kernel is a Makefile with the targets of Linux' own.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from harness import paths

DOCUMENT = paths.TOP / "docs" / "boot-tests.md"
EXAMPLES = paths.TOP / "docs" / "ci"

# These are the project's own.
KEPT = (
    "Makefile",
    "docs/ci/boot-test.sh",
    *(f"scripts/{name}" for name in ("boot-test", "lib.sh", "versions.sh")),
)

# scripts/timed, which has the name of each step. A tree says itself what is found of it.
TIMED = """\
    #!/bin/sh
    echo "$1" >>"$LOG"
    for argument; do
        case $argument in
        --file=*) cp "$TREE/vmlinux" "${argument#*=}" ;;
        esac
    done
    """

# scripts/check-tree.
CHECK_TREE = """\
    #!/bin/sh
    grep -q RUST "$1/.config"
    """

NOTHING = "#!/bin/sh\n"

KERNEL = """\
    defconfig:
    \t@echo $@ >>$(LOG); touch .config
    rust.config:
    \t@echo $@ LLVM=$(LLVM) >>$(LOG); echo RUST >>.config
    kvm_guest.config olddefconfig:
    \t@echo $@ >>$(LOG)
    all:
    \t@echo $@ >>$(LOG); cp verdict vmlinux
    .DEFAULT_GOAL := all
    .PHONY: defconfig rust.config kvm_guest.config olddefconfig all
    """

CONFIG = """\
    #!/bin/sh
    echo config "$@" >>"$LOG"
    """

GOOD, BAD = '{"verdict": "good"}\n', '{"verdict": "bad"}\n'

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Place:
    """A directory with a kernel and a checkout of the project, both in git."""

    def __init__(self, directory: Path) -> None:
        shutil.rmtree(directory)
        self.kernel = directory / "linux"
        self.project = directory / "upstream"
        self.log = directory / "log"
        programs = directory / "programs"
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(directory),
            "LOG": str(self.log),
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        write(programs / "apt-get", NOTHING)
        for name in KEPT:
            (self.project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(paths.TOP / name, self.project / name)
        write(self.project / "scripts" / "timed", TIMED)
        write(self.project / "scripts" / "check-tree", CHECK_TREE)
        write(self.project / "scripts" / "timings", NOTHING)
        write(self.kernel / "Makefile", KERNEL)
        write(self.kernel / "scripts" / "config", CONFIG)
        for repository in (self.kernel, self.project):
            self.run(repository, "git init --quiet && git add --all && git commit --quiet -m 1")

    def run(self, directory: Path, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """What a shell script does there, and prints."""
        return subprocess.run(
            ["sh", "-ec", script],
            cwd=directory,
            env={**self.environment, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def commit(self, files: dict[str, str]) -> str:
        """A commit of the kernel that changes these files, and its name."""
        for name, text in files.items():
            write(self.kernel / name, text)
        made = self.run(
            self.kernel, "git add --all; git commit --quiet -m change; git rev-parse HEAD"
        )
        assert made.returncode == 0, made.stdout
        return made.stdout.strip()


def write(file: Path, text: str) -> None:
    """A program, or another file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text))
    file.chmod(0o755)


def below(text: str, line: str) -> str:
    """The lines that follow this one, and are indented more."""
    found = re.search(rf"^( *){re.escape(line)}\n((?:\1 +.*\n)+)", text, re.MULTILINE)
    assert found, f"no {line!r} in {text}"
    return dedent(found[2])


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(GOOD, 0), (BAD, 1), ("", 125)],
    ids=["good", "bad", "not-judged"],
)
@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_a_ci_system(directory: Path, system: str, verdict: str, status: int) -> None:
    """The script that it runs builds the kernel, and has the status of what is found of it."""
    place = Place(directory)
    place.commit({"verdict": verdict})
    example = (EXAMPLES / f"{system}.yml").read_text()
    if system == "github":
        script = below(example, "- run: |")
    else:
        script = re.sub(r"^- ", "", below(example, "script:"), flags=re.MULTILINE)
    assert "RUST_KEXEC: " in example
    found = place.run(
        place.kernel,
        script,
        RUST_KEXEC_URL=f"file://{place.project}",
        RUST_KEXEC=str(directory / "rust_kexec"),
        RUST_KEXEC_CACHE=str(directory / "cache"),
    )
    assert found.returncode == status, found.stdout
    steps = place.log.read_text().splitlines()
    assert steps[:4] == ["setup", "defconfig", "rust.config LLVM=-19", "kvm_guest.config"]
    assert steps[4].startswith("config --enable DEBUG_INFO_DWARF5 ")
    assert steps[5:7] == ["olddefconfig", "all"]
    assert steps[-1] == "demo"


UNBUILDABLE = KERNEL.replace("cp verdict", "false")


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [("Makefile", UNBUILDABLE, KERNEL), (".config", "nothing\n", "RUST\n")],
    ids=["unbuildable", "lacks-an-option"],
)
def test_bisect(directory: Path, name: str, wrong: str, right: str) -> None:
    """The first bad commit is found, past one that cannot be judged."""
    place = Place(directory)
    good = place.commit({"verdict": GOOD, ".config": "RUST\n", ".gitignore": "vmlinux\n"})
    place.commit({"more": ""})
    # The first that git tries.
    not_judged = place.commit({name: wrong})
    last_good = place.commit({name: right})
    bad = place.commit({"verdict": BAD})
    # What the build of the bad one has left.
    write(place.kernel / "vmlinux", BAD)
    text = DOCUMENT.read_text().partition("## With git bisect\n")[2]
    script = "".join(line[4:] for line in text.splitlines(True) if line.startswith("    "))
    for word, value in (
        ("/path/to/linux", str(place.kernel)),
        ("/path/to/rust_kexec", str(place.project)),
        ("BAD GOOD", f"{bad} {good}"),
    ):
        assert word in script
        script = script.replace(word, value)
    found = place.run(directory, script)
    assert f"{bad} is the first bad commit" in found.stdout, found.stdout
    verdicts = place.run(place.kernel, "git bisect log").stdout
    assert f"git bisect skip {not_judged}" in verdicts, verdicts
    assert f"git bisect good {last_good}" in verdicts, verdicts
