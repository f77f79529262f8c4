# SPDX-License-Identifier: GPL-2.0
"""Files that the host makes, and a guest loads."""

from dataclasses import dataclass

from harness import paths
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE, rkexec


@dataclass(frozen=True)
class Files:
    """A kernel, and signatures in files of their own."""

    kernel: bytes
    signature: bytes | None = None
    initrd_signature: bytes | None = None

    async def send(
        self, guest: Guest, initrd: str = paths.GUEST_INITRD, command_line: str = CAPTURE
    ) -> tuple[str, ...]:
        """Writes them to the guest. The program that loads them, and its arguments."""
        await guest.send("/tmp/kernel", self.kernel)
        argv = rkexec("/tmp/kernel", initrd, command_line)
        for option, signature in (
            ("signature", self.signature),
            ("initrd-signature", self.initrd_signature),
        ):
            if signature is not None:
                await guest.send(f"/tmp/{option}", signature)
                argv += (f"--{option}=/tmp/{option}",)
        return argv
