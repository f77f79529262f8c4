# SPDX-License-Identifier: GPL-2.0
"""Files that a kernel comes in: a unified kernel image, and the EFI zboot image."""

import gzip

from harness.images.layout import put
from harness.images.pe import ARM64, pe


def unified(machine: int, kernel: bytes, initrd: bytes, command_line: str) -> bytes:
    """A unified kernel image."""
    return pe(
        machine,
        {
            b".text": bytes([0xCC]) * 512,
            b".linux": kernel,
            b".initrd": initrd,
            b".cmdline": command_line.encode(),
        },
    )


def zboot(kernel: bytes) -> bytes:
    """An EFI zboot image (vmlinuz.efi), after the kernel's drivers/firmware/efi/libstub."""
    # The build takes the length, which gzip has at its end, as a field of its own.
    payload = gzip.compress(kernel, mtime=0)
    file = bytearray(pe(ARM64, {b".text": payload}))
    put(file, 4, "4sII", b"zimg", 0x400, len(payload))
    put(file, 24, "32s", b"gzip")
    return bytes(file)
