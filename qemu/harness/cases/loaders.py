# SPDX-License-Identifier: GPL-2.0
"""What both loaders say of a case: ours, and kexec_file_load(2)."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from harness import paths
from harness.cases.case import Case
from harness.guest.agent import Finished
from harness.guest.guest import Guest

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
