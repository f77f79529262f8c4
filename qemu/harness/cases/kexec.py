# SPDX-License-Identifier: GPL-2.0
"""Command lines of kexec: what services type, every option, and the habits of getopt_long(3).

`{K}` is a bzImage, `{I}` an initrd. No line enters a kernel: where one would, nothing is loaded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

DIRECTORY = "/tmp/k"
KERNEL = f"{DIRECTORY}/vmlinuz"
INITRD = f"{DIRECTORY}/initrd"


@dataclass(frozen=True)
class State:
    """What is left by a program."""

    status: int
    """Its exit status."""
    loaded: str
    """What kexec_loaded and kexec_crash_loaded say is loaded: nothing, reboot, crash, or both."""
    shut_down: bool = False
    """Whether it ran /sbin/shutdown."""
    stdout: str = ""

    def __str__(self) -> str:
        words = (f"{self.status}", self.loaded, "shutdown" * self.shut_down, self.stdout)
        return ", ".join(filter(None, words))


@dataclass(frozen=True)
class Line:
    """A command line, and what comes before it."""

    words: str
    before: tuple[str, ...] = ()
    """Lines that the same program is run with first."""
    ours: State | None = None
    """What ours leaves, where that is something else."""
    why: str = ""
    """Why."""


def _lines(text: str, *before: str) -> Iterator[Line]:
    """Reads lines. `# 1, nothing: why` follows one for which ours leaves something else."""
    for line in text.strip().splitlines():
        words, _, other = line.partition(" # ")
        left, _, why = other.partition(": ")
        status, _, loaded = left.partition(", ")
        ours = State(int(status), loaded) if why else None
        yield Line(words.strip(), before, ours, why)


# kexec_file_load(2) knows nothing of these, and kexec does not tell.
REFUSED = "refused, where kexec drops it"
UNREADABLE = "kexec says 253 where the system call fails, and 1 by its own reader"


def _all() -> Iterator[Line]:
    # What services and people type.
    yield from _lines(
        """
        -p --command-line="root=/dev/vda1 nr_cpus=1" --initrd={I} {K}
        -p -s --command-line="root=/dev/vda1 nr_cpus=1" --initrd={I} {K}
        -s -p --command-line="root=/dev/vda1 nr_cpus=1" --initrd={I} {K}
        -s -s -p --command-line="root=/dev/vda1 nr_cpus=1" --initrd={I} {K}
        -p {K} --append="root=/dev/vda1 nr_cpus=1" --initrd={I} -a
        -s -p {K} --initrd {I} --append=quiet
        -p --reset-vga --console-vga --initrd={I} --append=quiet {K}
        --load {K} --append quiet
        --load {K} --append quiet --initrd {I}
        --load {K} --initrd={I} --reuse-cmdline
        -l {K} --append=quiet
        -l {K} --initrd={I} --append=quiet
        -l {K} --initrd={I} --append=quiet -a
        -s -l {K} --initrd={I} --append=quiet
        --load --kexec-file-syscall {K}
        --load --initrd={I} --append=quiet -- {K}
        --kexec-syscall-auto --no-checks --load {K} --append=quiet
        -v
        --version
        --print-ckr-size
        -S
        -S -l
        -u
        -u -a
        -p -u
        -s -p -u
        -a -p -u
        -s -u
        -e
        --exec
        """
    )
    for loaded in ("-p {K}", "-l {K} --append=quiet"):
        yield from _lines(
            """
            -S
            -S -p
            -p -S
            -S -l
            -l -S
            --status
            --load-panic --status
            -u
            -p -u
            -a -p -u
            -s -p -u
            -u -u
            -p -u -a
            --unload
            --print-ckr-size
            -p {K} --append=other
            -l {K} --append=other
            -p {D}/text
            -l {D}/none
            -Z
            """,
            loaded,
        )
    yield from _lines("-p -u\n-u\n-S\n-S -l", "-p {K}", "-l {K} --append=quiet")
    # The habits of getopt_long(3).
    yield from _lines(
        """
        --st
        --stat
        --loa {K}
        --load-p {K}
        --ini={I} -l {K}
        --init {I} -p {K}
        --app=quiet -p {K}
        --load-panic={K}
        -pd {K}
        -sp {K}
        -ps {K}
        -p -- {K}
        -p {K} --
        -p {K} {D}/none
        -p {D}/none {K}
        -l {K} --append=a --append=b
        -p {K} --initrd={D}/none --initrd={I}
        -p {K} --append
        -p {K} --initrd
        -l
        -p
        -p --append=quiet
        -u --append=quiet
        -e --initrd={I}
        -S --append=quiet
        -u -p {K} # 0, crash: kexec asks the system call to unload once more
        -u -p
        -p -u {K}
        -u {K}
        -Z
        -?
        --frobnicate
        --frobnicate -p {K}
        -p {K} --frobnicate
        -h
        --help
        -h -p {K}
        """
    )
    # Every other option.
    options = f"""
        -d
        -i
        -x
        -y
        -s
        -a
        --hotplug
        --args-linux
        --mem-min=0x1000000
        --mem-max=0xffffffff
        --mem-min=1M
        --serial=0x3f8
        --serial-baud=115200
        --console-serial
        --console-vga
        --reset-vga
        --reuse-cmdline
        --reuse-cmdline --append=quiet
        --append=quiet --reuse-cmdline
        --ramdisk={{I}}
        --reuse-video-type
        --pass-memmap-cmdline
        --elf64-core-headers
        --elf32-core-headers # 1, nothing: {REFUSED}
        --noefi
        --noefi --append=quiet
        -t bzImage64
        -t bzImage
        -t elf-x86_64 # 255, nothing: {REFUSED}
        -t nonsense # 255, nothing: {REFUSED}
        --dtb={{I}} # 1, nothing: {REFUSED}
        --reuseinitrd
        --load-live-update
        --args-elf # 1, nothing: {REFUSED}
        --args-none # 1, nothing: {REFUSED}
        --module={{I}} # 1, nothing: {REFUSED}
        --real-mode # 1, nothing: refused as wrong usage
        --entry-32bit # 1, nothing: refused as wrong usage
        """
    for load in ("-p {K}", "-l {K}"):
        for line in _lines(options):
            yield replace(line, words=f"{load} {line.words}")
    yield from _lines(
        """
        -p {K} -c # 0, crash: kexec's own loader fails with this kernel and region
        -l {K} -c
        """
    )
    # Files.
    for load, loaded in (
        ("-p", "crash"),
        ("-l", "reboot"),
        ("-s -p", "crash"),
        ("-s -l", "reboot"),
    ):
        yield from _lines(
            f"""
            {load} {{D}}/none
            {load} {{D}}/empty
            {load} {{D}}/text
            {load} {{D}}/noise
            {load} {{D}}
            {load} {{D}}/vmlinux # 0, {loaded}: kexec cannot load it
            {load} {{K}} --initrd={{D}}/none
            {load} {{K}} --initrd={{D}}/empty # 255, nothing: {UNREADABLE}
            """
        )
    # A kernel alone is loaded, and the machine shut down into it.
    yield from _lines("{K}\n-s {K}\n{D}/none\n{D}/text")


LINES = tuple(_all())
