# SPDX-License-Identifier: GPL-2.0
"""`rkexec` called as `kexec`, beside kexec-tools' own: the same command lines in one guest."""

import shlex
from pathlib import Path

import pytest

from harness import paths
from harness.cases.case import ELF_MACHINE
from harness.cases.kexec import DIRECTORY, INITRD, KERNEL, LINES, Line, State
from harness.dump.tools import runs_in_guests
from harness.guest.guest import Guest
from harness.guest.tools import install_tool, unpack
from harness.images.bzimage import bzimage, compressed, with_payload
from harness.images.cpio import archive
from harness.images.elf import elf_kernel
from harness.testing import in_guest, needs

OURS, THEIRS = "/tmp/ours/kexec", "/tmp/theirs/kexec"
# What a kernel alone ends with.
SHUT_DOWN = "/tmp/shut-down"
UNLOAD = f"""
rm -f {SHUT_DOWN}
[ $(cat /sys/kernel/kexec_loaded) = 0 ] || {{ {OURS} -u; {THEIRS} -u; }}
[ $(cat /sys/kernel/kexec_crash_loaded) = 0 ] || {{ {OURS} -p -u; {THEIRS} -p -u; }}
"""


async def install(guest: Guest) -> None:
    """Puts both programs there, and the files that they are to load."""
    await install_tool(guest, "kexec")
    files = {
        # A kernel of some KiB, as none is entered: kexec takes a second to load the guest's own.
        KERNEL: with_payload(bzimage(), compressed(elf_kernel(ELF_MACHINE), "gzip")),
        INITRD: archive(paths.TOP / "qemu" / "guest", ["init"]),
        f"{DIRECTORY}/vmlinux": paths.CAPTURE_VMLINUX.read_bytes(),
        f"{DIRECTORY}/empty": b"",
        f"{DIRECTORY}/text": b"this is no kernel\n",
        f"{DIRECTORY}/noise": bytes(range(256)) * 256,
        "/sbin/shutdown": f"#!/bin/sh\necho $* > {SHUT_DOWN}\n".encode(),
    }
    await unpack(guest, files)
    await guest.shell(
        f"mkdir -p {Path(OURS).parent} {Path(THEIRS).parent}; cp $(command -v rkexec) {OURS}; "
        f"mv /bin/kexec {THEIRS}"
    )


async def left(guest: Guest, program: str, line: Line) -> tuple[State, str]:
    """What a program leaves on a machine that has nothing loaded, and what it said last."""
    await guest.run("sh", "-c", UNLOAD)
    for words in (*line.before, line.words):
        text = words.format(K=KERNEL, I=INITRD, D=DIRECTORY)
        finished = await guest.run(program, *shlex.split(text))
    answer = await guest.shell(
        f"cat /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_loaded; ls {SHUT_DOWN} 2>&1 || true"
    )
    *loaded, shut_down = answer.splitlines()
    names = [
        name for name, answer in zip(("reboot", "crash"), loaded, strict=True) if answer == "1"
    ]
    state = State(
        finished.status,
        " and ".join(names) or "nothing",
        shut_down == SHUT_DOWN,
        finished.stdout.strip() if "--print-ckr-size" in line.words else "",
    )
    return state, " ".join(finished.stderr.splitlines()[-1:])


@pytest.mark.long
@needs("KEXEC", "KEXEC_FILE", "CONTIG_ALLOC")
@pytest.mark.skipif(
    not runs_in_guests("kexec") or paths.TARGET != "x86_64",
    reason="the table is about the default kernel on x86_64 and kexec-tools' kexec for it",
)
@in_guest()
async def test_the_same_is_left(guest: Guest) -> None:
    """Exit status, and what is loaded, is the same; where it is not, the table says so and why."""
    await install(guest)
    wrong = []
    for line in LINES:
        theirs, they_said = await left(guest, THEIRS, line)
        ours, we_said = await left(guest, OURS, line)
        if ours != (line.ours or theirs) or line.ours == theirs:
            before = "".join(f"{words}, then " for words in line.before)
            wrong.append(f"{before}{line.words}: {theirs} ({they_said}); ours {ours} ({we_said})")
    assert not wrong, "\n".join(wrong)
    assert len(LINES) >= 150
