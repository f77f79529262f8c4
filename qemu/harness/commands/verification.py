# SPDX-License-Identifier: GPL-2.0
"""What a load is refused for: ours beside kexec_file_load(2), file by file in one guest.

`make verification` writes what it finds to docs/verification.md; a test holds the two together.
"""

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness import paths
from harness.cases import Case, groups
from harness.crash.scenario import iomem
from harness.guest.agent import Finished
from harness.guest.guest import Guest, boot
from harness.machine.machine import Hardware
from harness.machine.platform import PLATFORM

DOCUMENT = paths.TOP / "docs" / "verification.md"

# Small enough that more than half of memory fits into the region, which lies where it is asked
# for, so that its addresses are those of the document.
HARDWARE = Hardware(memory_mib=768, open_memory=True)
COMMAND_LINE = f"nokaslr {PLATFORM.verification_region}"

LOCKDOWN = "/sys/kernel/security/lockdown"
POLICY = "/sys/module/rust_kexec/parameters/signatures"

LOADS = "loads"

# A sentence and the errno's name behind it, or its number where it should stay in the kernel.
REFUSAL = re.compile(r"[\w-]+: (?P<sentence>.*) \((?P<errno>E[A-Z0-9]+|errno \d+)\)\n")


class Answer(NamedTuple):
    """What a loader says of a file: an errno and a sentence, unless it loads it."""

    errno: str = LOADS
    sentence: str = ""

    @classmethod
    def of(cls, finished: Finished) -> "Answer":
        """From what the program said."""
        if finished.status == 0:
            return cls()
        match = REFUSAL.fullmatch(finished.stderr)
        assert match, finished
        return cls(match["errno"], match["sentence"])


class Row(NamedTuple):
    """One line of the table."""

    case: str
    ours: Answer
    kernels_own: Answer

    @property
    def remark(self) -> str:
        """How the two differ."""
        if self.ours.errno == self.kernels_own.errno:
            return ""
        if self.kernels_own.errno == LOADS:
            return "stricter"
        if self.ours.errno == LOADS:
            return "takes more"
        return "another errno"

    def markdown(self) -> str:
        """As a line of a table."""
        said = f": {self.ours.sentence}" if self.ours.sentence else ""
        cells = (self.case, f"{self.ours.errno}{said}", self.kernels_own.errno, self.remark)
        return " | ".join(("", *(cell.replace("|", "\\|") for cell in cells), "")).strip()


@dataclass(frozen=True)
class Loader:
    """Loads cases in a guest, and drops again what was loaded."""

    guest: Guest

    async def row(self, case: Case) -> Row:
        """Has both loaders load the case."""
        guest = self.guest
        await guest.send("/tmp/kernel", case.kernel)
        arguments = ["--load-panic", "/tmp/kernel", f"--command-line={case.command_line}"]
        initrd = paths.GUEST_INITRD
        if case.initrd is not None:
            initrd = "/tmp/initrd"
            await guest.send(initrd, case.initrd)
        if case.initrd_len is not None:
            initrd = "/tmp/initrd"
            await guest.shell(f"truncate -s 0 {initrd}; truncate -s {case.initrd_len} {initrd}")
        arguments.append(f"--initrd={initrd}")
        for option, signature in (
            ("signature", case.signature),
            ("initrd-signature", case.initrd_signature),
        ):
            if signature is not None:
                await guest.send(f"/tmp/{option}", signature)
                arguments.append(f"--{option}=/tmp/{option}")
        own = ["/tmp/kernel", initrd, case.command_line]
        before = ["without-capability", "CAP_SYS_BOOT", "--"] if case.unprivileged else []
        ours = await guest.run(*before, "rkexec", *arguments)
        if ours.status == 0:
            (await guest.rkexec("--unload")).check()
        kernels_own = await guest.run(*before, "kexec-file-load", *own)
        if kernels_own.status == 0:
            (await guest.run("kexec-file-load", "--unload")).check()
        return Row(case.name, Answer.of(ours), Answer.of(kernels_own))


async def require_signatures(guest: Guest) -> None:
    """Ours by its parameter; the kernel's own as one that was started by secure boot."""
    await guest.shell(f"echo require > {POLICY}")
    await flip_enforcement(guest)


async def flip_enforcement(guest: Guest) -> None:
    """Flips what set_kexec_sig_enforced() sets, which nothing in user space reaches."""
    [data] = iomem(await guest.read("/proc/iomem"), "Kernel data")
    symbols = await guest.shell("grep -wE '_sdata|sig_enforce' /proc/kallsyms")
    address = {line.split()[2]: int(line.split()[0], 16) for line in symbols.splitlines()}
    place = data.start + address["sig_enforce"] - address["_sdata"]
    guest.machine.flip(place, 1)


async def lock_down(guest: Guest) -> None:
    """The kernel's confidentiality mode, from which there is no way back."""
    await guest.shell(
        f"mount -t securityfs securityfs {Path(LOCKDOWN).parent}; echo confidentiality > {LOCKDOWN}"
    )


async def nothing_but_lockdown(guest: Guest) -> None:
    """Back to what may be loaded by default, and then the confidentiality mode."""
    await flip_enforcement(guest)
    await guest.shell(f"rmmod rust_kexec; insmod {paths.GUEST_MODULE}")
    await lock_down(guest)


PREPARATIONS = {
    "by default": None,
    "signatures": require_signatures,
    "lockdown": nothing_but_lockdown,
}


async def found(directory: Path) -> dict[str, list[Row]]:
    """Every group's rows, from one guest."""
    async with boot(directory, HARDWARE, COMMAND_LINE) as guest:
        loader = Loader(guest)
        rows: dict[str, list[Row]] = {}
        for group in groups(directory):
            if prepare := PREPARATIONS[group.state]:
                await prepare(guest)
            rows[group.title] = [await loader.row(case) for case in group.cases]
        return rows


def section(rows: dict[str, list[Row]]) -> str:
    """The part of the document that is about this architecture."""
    lines = [f"## {paths.ARCH}"]
    for title, group in rows.items():
        lines += ["", f"### {title}", ""]
        lines += ["| the file | rust_kexec | kexec_file_load | |", "|---|---|---|---|"]
        lines += [row.markdown() for row in group]
    return "\n".join(lines) + "\n"


def documented() -> tuple[str, str, str]:
    """The document: what is before this architecture's section, the section, what follows it."""
    text = DOCUMENT.read_text()
    start = text.find(f"## {paths.ARCH}\n")
    if start < 0:
        return text.rstrip("\n") + "\n\n", "", ""
    end = text.find("\n## ", start)
    end = len(text) if end < 0 else end + 1
    return text[:start], text[start:end].rstrip("\n") + "\n", text[end:]


def main() -> None:
    """Writes the section."""
    rows = asyncio.run(found(paths.results("verification", paths.RUN)))
    before, _, after = documented()
    DOCUMENT.write_text(f"{before}{section(rows)}{after and chr(10)}{after}")
    count = sum(len(group) for group in rows.values())
    print(f"{DOCUMENT.relative_to(paths.TOP)}: {count} files", file=sys.stderr)


if __name__ == "__main__":
    main()
