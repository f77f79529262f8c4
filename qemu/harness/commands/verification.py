# SPDX-License-Identifier: GPL-2.0
"""`make verification`: the refusals of both loaders, file by file in one guest.

It writes the answers of ours and of kexec_file_load(2) to docs/verification.md. A test compares
the document with the answers.
"""

import asyncio
import sys
from pathlib import Path

from harness import paths
from harness.cases.groups import groups
from harness.cases.loaders import Loader, Row
from harness.guest.boot import boot
from harness.guest.policy import nothing_but_lockdown, require_signatures
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM

DOCUMENT = paths.TOP / "docs" / "verification.md"

# Small enough that more than half of memory fits into the region, which lies where it is asked
# for, so that its addresses are those of the document.
HARDWARE = Hardware(memory_mib=768, open_memory=True)
COMMAND_LINE = f"nokaslr {PLATFORM.verification_region}"


PREPARATIONS = {
    "by default": None,
    "signatures": require_signatures,
    "lockdown": nothing_but_lockdown,
}


async def found(directory: Path) -> dict[str, list[Row]]:
    """Each group's rows, from one guest."""
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
