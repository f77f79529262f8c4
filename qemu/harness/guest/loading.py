# SPDX-License-Identifier: GPL-2.0
"""The programs that load, as a guest runs them: ours, and those for kexec_file_load(2)."""

from harness import paths
from harness.machine.platform import PLATFORM

# One CPU is enough to save a dump, and as many as people give a capture kernel.
CONSOLE = f"console={PLATFORM.console} {PLATFORM.late_clocks}"
CAPTURE = f"{CONSOLE} {PLATFORM.early_console} nr_cpus=1"


def rkexec(
    kernel: str = paths.GUEST_KERNEL,
    initrd: str = paths.GUEST_INITRD,
    command_line: str = CAPTURE,
) -> tuple[str, ...]:
    """The program and its arguments for a load by us."""
    files = ("--load-panic", kernel, f"--initrd={initrd}")
    return ("rkexec", *files, f"--command-line={command_line}")


def device_request(kernel: str, command_line_file: str) -> tuple[str, ...]:
    """The same without an initrd, by a program that does nothing else. The file has CAPTURE."""
    command_line = (f"--command-line={command_line_file}", f"--command-line-len={len(CAPTURE)}")
    return ("device-request", "load", kernel, *command_line)


def kexec_file_load(
    kernel: str = paths.GUEST_KERNEL,
    initrd: str = paths.GUEST_INITRD,
    command_line: str = CAPTURE,
) -> tuple[str, ...]:
    """The program and its arguments for a load by the kernel's own kexec."""
    return ("kexec-file-load", kernel, initrd, command_line)


def kexec(
    kernel: str = paths.GUEST_KERNEL,
    initrd: str = paths.GUEST_INITRD,
    command_line: str = CAPTURE,
) -> tuple[str, ...]:
    """The same by kexec-tools' program."""
    return ("kexec", "-s", "-p", kernel, f"--initrd={initrd}", f"--command-line={command_line}")


RKEXEC_UNLOAD = ("rkexec", "--unload")
KEXEC_FILE_UNLOAD = ("kexec-file-load", "--unload")
KEXEC_UNLOAD = ("kexec", "-s", "-p", "-u")
