# SPDX-License-Identifier: GPL-2.0
"""The answers of both loaders to a case: ours, and kexec_file_load(2)."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from harness import paths
from harness.cases.case import Case
from harness.guest.agent import Finished
from harness.guest.files import Files
from harness.guest.guest import Guest
from harness.guest.loading import kexec_file_load

LOADS = "loads"

# A sentence, and after it the name of the errno, or the number of one that is the kernel's alone.
REFUSAL = re.compile(r"[\w-]+: (?P<sentence>.*) \((?P<errno>E[A-Z0-9]+|errno \d+)\)\n")


class Answer(NamedTuple):
    """A loader's answer to a file: an errno and a sentence, unless it loads it."""

    errno: str = LOADS
    sentence: str = ""

    @classmethod
    def of(cls, finished: Finished) -> "Answer":
        """The answer in a program's output."""
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
        """The difference between the two, in a word or two."""
        if self.ours.errno == self.kernels_own.errno:
            return ""
        if self.kernels_own.errno == LOADS:
            return "stricter"
        if self.ours.errno == LOADS:
            return "takes more"
        return "another errno"

    def markdown(self) -> str:
        """The row as a line of a table."""
        said = f": {self.ours.sentence}" if self.ours.sentence else ""
        cells = (self.case, f"{self.ours.errno}{said}", self.kernels_own.errno, self.remark)
        return " | ".join(("", *(cell.replace("|", "\\|") for cell in cells), "")).strip()


@dataclass(frozen=True)
class Loader:
    """Loads cases in a guest, and drops again what was loaded."""

    guest: Guest

    async def row(self, case: Case) -> Row:
        """Loads a case with both loaders."""
        guest = self.guest
        initrd = paths.GUEST_INITRD
        if case.initrd is not None:
            initrd = "/tmp/initrd"
            await guest.send(initrd, case.initrd)
        if case.initrd_len is not None:
            initrd = "/tmp/initrd"
            await guest.shell(f"truncate -s 0 {initrd}; truncate -s {case.initrd_len} {initrd}")
        files = Files(case.kernel, case.signature, case.initrd_signature)
        argv = await files.send(guest, initrd, case.command_line)
        before = ["without-capability", "CAP_SYS_BOOT", "--"] if case.unprivileged else []
        ours = await guest.run(*before, *argv)
        if ours.status == 0:
            await guest.unload()
        own = kexec_file_load("/tmp/kernel", initrd, case.command_line)
        kernels_own = await guest.run(*before, *own)
        if kernels_own.status == 0:
            await guest.unload_by_the_kernels_own()
        return Row(case.name, Answer.of(ours), Answer.of(kernels_own))
