# SPDX-License-Identifier: GPL-2.0
"""An elfcorehdr that the module refuses, with the sentence that says why."""

import base64
import struct
from pathlib import Path
from random import Random

from harness import paths
from harness.guest.boot import prepared
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, kernel_words
from harness.guest.vmcore import VMCORE, check_bytes
from harness.images.elfcorehdr import field
from harness.images.prepared_memory import AT, DIRECT_MAP, known_memory
from harness.testing import prepared_only
from harness.units import PAGE

# The bytes that are written into the memory, their place, and a part of the log's sentence. More
# of them, without a kernel around it, are in kexec_core/tests/core/dump/elfcorehdr/cases.rs.
MALFORMED = {
    "zeros": ((0, bytes(64)), "starts with"),
    "32 bits": ((4, b"\x01"), "starts with"),
    "a program": ((16, b"\x02"), "has type 2"),
    "another machine": ((18, b"\xb7"), "of machine 183"),
    "another version": ((20, b"\x02"), "not version 1"),
    "far away headers": ((32, struct.pack("<Q", 1 << 63)), "not of 56 at 0x40"),
    "no headers": ((56, b"\x00\x00"), "names no notes"),
    "65535 headers": ((56, b"\xff\xff"), "16384 are possible"),
    "16384 headers of zeros": ((56, b"\x00\x40"), "has type 0"),
    "notes after memory": ((64 + 56 * 2, b"\x04"), "has type 4"),
    "endless notes": (field(0, 40, 1 << 63), "impossible extent"),
    "endless memory": (field(2, 40, (1 << 64) - 1), "impossible extent"),
    "memory elsewhere": (field(1, 24, 5), "should be equal"),
    "overlapping memory": (field(2, 16, DIRECT_MAP), "overlap another one's"),
}


@prepared_only
async def test_malformed_elfcorehdrs_are_refused(directory: Path, random: Random) -> None:
    memory, dumped, _ = known_memory(random)

    async def write(guest: Guest, offset: int, data: bytes) -> None:
        text = base64.b64encode(data).decode()
        await guest.shell(
            f"echo {text} | base64 -d | dd of=/dev/mem bs=1 seek={AT + offset} conv=notrunc"
        )

    async with prepared(directory, memory, AT, AT) as guest:
        await guest.shell("rmmod rust_kexec")
        for name, ((offset, data), expected) in MALFORMED.items():
            await write(guest, offset, data)
            said = len(await kernel_words(guest, "rust_kexec:"))
            refused = await guest.run("insmod", paths.GUEST_MODULE)
            assert refused.status != 0, name
            # insmod of busybox 1.35 asks the kernel in two ways before it gives up.
            [sentence] = set((await kernel_words(guest, "rust_kexec:"))[said:])
            assert sentence.startswith("rust_kexec: there will be no /proc/vmcore: "), name
            assert expected in sentence, (name, sentence)
            assert (await guest.run("test", "-e", VMCORE)).status == 1, name
            await write(guest, offset, memory[offset : offset + len(data)])

        # From a note on that runs past its segment, the notes are left out; the rest is there.
        await write(guest, PAGE + 4, struct.pack("<I", 1 << 31))
        await guest.shell(f"insmod {paths.GUEST_MODULE}")
        assert len(await kernel_words(guest, "is left out of the dump: the note at")) == 1
        assert int(await guest.shell(f"stat -c %s {VMCORE}")) == PAGE + len(dumped)
        await check_bytes(guest, dumped[: 2 * PAGE], PAGE)
        assert await complaints(guest) == []
