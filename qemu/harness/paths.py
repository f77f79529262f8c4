# SPDX-License-Identifier: GPL-2.0
"""The files of the build that the harness uses, on the host and in guests."""

import os
from collections.abc import Iterable
from pathlib import Path

ARCH = os.environ.get("ARCH") or "x86_64"
# The name that scripts/versions.sh gives to the kernel and the architecture together.
TARGET = os.environ.get("TARGET") or ARCH
# The target whose kernel saves the dump; another one than TARGET in mixed runs.
CAPTURE_TARGET = os.environ.get("CAPTURE_TARGET") or TARGET
# The name of directories with results.
RUN = TARGET if CAPTURE_TARGET == TARGET else f"{TARGET}-captured-by-{CAPTURE_TARGET}"

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"

KERNEL = BUILD / "guest" / TARGET / "vmlinuz"
# The production guest's root file system, and the kernel and initrd that it loads.
PRODUCTION_INITRDS = (
    BUILD / "guest" / TARGET / "capture.cpio.zst",
    BUILD / "guest" / CAPTURE_TARGET / "boot.cpio.zst",
)

# The files that the production guest loads, for tests that sign them or pack them otherwise.
CAPTURE_KERNEL = BUILD / "guest" / CAPTURE_TARGET / "vmlinuz"
CAPTURE_INITRD = BUILD / "guest" / CAPTURE_TARGET / "capture.cpio.zst"
# The ELF file, without debug information, that the build compresses into an x86_64 kernel.
CAPTURE_VMLINUX = (
    BUILD / "kernel" / CAPTURE_TARGET / "arch" / "x86" / "boot" / "compressed" / "vmlinux.bin"
)

# The program, as the guests have it.
RKEXEC = BUILD / "bin" / ARCH / "rkexec"

# The program that saves dumps, for the guests.
RKDUMP = BUILD / "bin" / ARCH / "rkdump"
# The same for this machine, which reads dumps of every architecture.
RKDUMP_ON_HOST = BUILD / "bin" / os.uname().machine / "rkdump"

# The purgatory, as the module has it inside.
PURGATORY = TOP / "rust_kexec" / "purgatory" / f"{ARCH}.bin"

# The firmware of a machine without PSCI.
FIRMWARE = BUILD / "firmware" / "spin_table.bin"


def _vmlinux() -> Path:
    """The kernel's ELF file that has debug information.

    The build of 7.3.4 (scripts/Makefile.vmlinux) strips vmlinux, and keeps vmlinux.unstripped; that
    of 6.12.117 has no such file.
    """
    tree = BUILD / "kernel" / TARGET
    unstripped = tree / "vmlinux.unstripped"
    return unstripped if unstripped.exists() else tree / "vmlinux"


# For the readers of the dump.
VMLINUX = _vmlinux()
# The modules that a guest may have, with debug information as well.
MODULES = tuple(
    BUILD / "module" / TARGET / name / f"{name}.ko"
    for name in (
        "rust_kexec",
        "crasher",
        "hold_memory",
        "irqs_off",
        "livepatched",
        "on_entry",
        "panic_at_once",
    )
)

# The same files inside the production guest.
GUEST_KERNEL = "/boot/vmlinuz"
GUEST_INITRD = "/boot/initrd"
GUEST_MODULE = "/lib/rust_kexec.ko"
# Makes a CPU spin with interrupts disabled.
GUEST_IRQS_OFF = "/lib/irqs_off.ko"
# Panics, or changes a byte, when a chosen function is entered.
GUEST_ON_ENTRY = "/lib/on_entry.ko"
# Kills the kernel in a context that is asked for.
GUEST_CRASHER = "/lib/crasher.ko"
# Patches the function of sysrq's crash.
GUEST_LIVEPATCHED = "/lib/livepatched.ko"
# Requests physical memory.
GUEST_HOLD_MEMORY = "/lib/hold_memory.ko"
# Makes all CPUs panic at once.
GUEST_PANIC_AT_ONCE = "/lib/panic_at_once.ko"


def has(target: str, option: str) -> bool:
    """Whether the kernel of a target was built with an option, its name without CONFIG_."""
    configuration = (BUILD / "kernel" / target / ".config").read_text()
    return f"CONFIG_{option}=y" in configuration.splitlines()


def version(target: str) -> tuple[int, ...]:
    """A target's kernel's version, of two numbers."""
    release = (BUILD / "kernel" / target / "include" / "config" / "kernel.release").read_text()
    return tuple(int(number) for number in release.split(".")[:2])


def missing(target: str, options: Iterable[str]) -> list[str]:
    """Those of these options, named without CONFIG_, that a target's kernel was built without."""
    return [f"CONFIG_{name}" for name in options if not has(target, name)]


# The module's file beside one of the kernel's own, and that one.
OURS = "/proc/rust_kexec_vmcore"
THEIRS = "/proc/vmcore"


def served(target: str) -> str:
    """The module's file in the kernel of a target."""
    return OURS if has(target, "PROC_VMCORE") else THEIRS


# The one that the dump is saved from.
SERVED = served(CAPTURE_TARGET)


def results(*names: str) -> Path:
    """An empty directory below build/ for one run's logs and dump."""
    path = BUILD.joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        if not old.is_dir():
            old.unlink()
    return path
