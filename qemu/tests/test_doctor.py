# SPDX-License-Identifier: GPL-2.0
"""rkexec doctor on machines with one thing wrong, and on a good one, which is crashed then."""

import json
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from harness import paths
from harness.crash.scenario import Facts, Scenario
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.guest.policy import lock_down
from harness.machine.hardware import Hardware
from harness.testing import crash_and_check, in_guest, needs
from harness.units import MIB

COMMAND_LINE = f"{CAPTURE} panic=10"
TARGET = "/dev/vda"

# A disk that is too small for any dump, after the other one.
SMALL = ("-blockdev", f"driver=null-co,node-name=small,size={16 * MIB}")
SMALL_DISK = (*SMALL, "-device", "virtio-blk-pci,drive=small,addr=0x1e")

SYSCTL = "/proc/sys/kernel"
# What a careful administrator sets. A kernel need not have all of them.
SETTINGS = {"panic": 10, "panic_on_oops": 1, "sysrq": 1, "unknown_nmi_panic": 1}

# The capture kernel's file in which a name can be changed: the one that is in a bzImage.
PLAIN_KERNEL = paths.CAPTURE_KERNEL if paths.ARCH == "arm64" else paths.CAPTURE_VMLINUX


@dataclass(frozen=True)
class Verdict:
    """What the doctor says."""

    status: int
    bad: dict[str, str]
    """The grades of all lines that are not good, by their names."""

    @property
    def wrong(self) -> set[str]:
        """The names of what loses the dump."""
        return {name for name, grade in self.bad.items() if grade == "wrong"}


async def doctor(guest: Guest, *options: str, target: str = TARGET) -> Verdict:
    """Asks the doctor."""
    arguments = ("--json", f"--target={target}", f"--command-line={COMMAND_LINE}", *options)
    finished = await guest.run("rkexec", "doctor", *arguments, timeout_s=120)
    assert finished.status in (0, 1), finished
    report = json.loads(finished.stdout)
    assert report["leaves_dump"] == (finished.status == 0)
    bad = {one["id"]: one["grade"] for one in report["findings"] if one["grade"] != "good"}
    return Verdict(finished.status, bad)


async def be_careful(guest: Guest) -> None:
    """Sets what a careful administrator sets."""
    for name, value in SETTINGS.items():
        await guest.shell(f"[ ! -e {SYSCTL}/{name} ] || echo {value} > {SYSCTL}/{name}")


async def good(guest: Guest) -> Verdict:
    """The verdict on a machine that has nothing wrong."""
    verdict = await doctor(guest)
    assert verdict.status == 0, verdict
    assert "warning" not in verdict.bad.values(), verdict
    return verdict


Step = Callable[[Guest], Awaitable[object]]


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a good machine, for a while."""

    name: str
    """Of the line that names it."""
    cause: Step
    mend: Step
    grade: str = "wrong"
    target: str = TARGET
    follows: tuple[str, ...] = ()
    """Lines which say that this is why something else is not there."""


async def check(guest: Guest, fault: Fault, before: Verdict, *options: str) -> None:
    """The fault is named, and nothing else is."""
    await fault.cause(guest)
    verdict = await doctor(guest, *options, target=fault.target)
    told = {name: grade for name, grade in verdict.bad.items() if before.bad.get(name) != grade}
    expected = {fault.name: fault.grade} | dict.fromkeys(fault.follows, "note")
    assert told == expected, fault
    assert verdict.status == (1 if fault.grade == "wrong" else 0)
    await fault.mend(guest)


def shell(script: str) -> Step:
    """A step that is a shell script."""

    async def step(guest: Guest) -> None:
        await guest.shell(script)

    return step


async def load(guest: Guest) -> None:
    """Loads the files that are there now."""
    await guest.load(COMMAND_LINE)


def with_file(path: str, contents: Callable[[], bytes]) -> Step:
    """A step that loads a file in another's place."""

    async def step(guest: Guest) -> None:
        await guest.send(path, contents())
        await load(guest)

    return step


def with_initrd(contents: Callable[[], bytes]) -> Step:
    """A step that loads another initrd."""
    return with_file(paths.GUEST_INITRD, contents)


def initrd_without(directory: Path, *names: str) -> bytes:
    """The guest's initrd without some of its files, and not compressed."""
    root = directory / "root"
    root.mkdir()
    packed = subprocess.run(
        ["zstd", "--decompress", "--stdout", paths.CAPTURE_INITRD],
        stdout=subprocess.PIPE,
        check=True,
    )
    unpack = ["cpio", "--quiet", "--extract", "--make-directories", "--no-absolute-filenames"]
    subprocess.run(unpack, cwd=root, input=packed.stdout, check=True)
    for name in names:
        (root / name).unlink()
    script = "find . | cpio --quiet --create --format=newc; rm -rf ../root"
    archive = subprocess.run(
        ["sh", "-c", script],
        cwd=root,
        stdout=subprocess.PIPE,
        check=True,
    )
    return archive.stdout


def without_elfcorehdr() -> bytes:
    """The capture kernel, without the parameter that CRASH_DUMP has."""
    kernel = PLAIN_KERNEL.read_bytes()
    assert b"elfcorehdr\0" in kernel
    return kernel.replace(b"elfcorehdr\0", b"elfcorehdX\0")


async def reserve(guest: Guest, mib: int) -> None:
    """Has the module take so much memory for an image, and loads one."""
    await guest.unload()
    await guest.shell("rkexec reserve 0")
    await guest.shell(f"rkexec reserve {mib}M")
    await load(guest)


async def small_region(guest: Guest) -> None:
    """A region into which the image goes, but which is less than the estimate."""
    files = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")
    answer = await guest.rkexec("estimate", *files, f"--command-line={COMMAND_LINE}", "--json")
    needed = json.loads(answer.check().stdout)["crashkernel"]
    await reserve(guest, needed // MIB - 8)


async def large_region(guest: Guest) -> None:
    """A region for all that the capture kernel does."""
    await reserve(guest, 256)


def faults(directory: Path) -> list[Fault]:
    """What is wrong with machines, one thing with each."""
    initrd = with_initrd(paths.CAPTURE_INITRD.read_bytes)
    kernel = with_file(paths.GUEST_KERNEL, paths.CAPTURE_KERNEL.read_bytes)

    def lacking(*names: str) -> Step:
        return with_initrd(lambda: initrd_without(directory, *names))

    def setting(name: str, value: int) -> Step:
        return shell(f"echo {value} > {SYSCTL}/{name}")

    async def unload(guest: Guest) -> None:
        await guest.unload()

    async def without_ftrace(guest: Guest) -> None:
        # A module that has hooked the kernel's own kexec keeps ftrace on.
        await guest.unload()
        await guest.shell(
            f"rmmod rust_kexec; echo 0 > {SYSCTL}/ftrace_enabled; "
            f"insmod {paths.GUEST_MODULE} reserve=256M"
        )

    async def with_ftrace(guest: Guest) -> None:
        await guest.shell(f"echo 1 > {SYSCTL}/ftrace_enabled")
        await load(guest)

    # A kernel with a /proc/vmcore of its own does without our module.
    serves = paths.has(paths.CAPTURE_TARGET, "PROC_VMCORE")
    alone = [] if serves else [Fault("vmcore", lacking("lib/rust_kexec.ko"), initrd)]
    # Debian's own kernel comes without the file that is in it.
    broken = with_file(paths.GUEST_KERNEL, without_elfcorehdr)
    kernels = [Fault("capture-options", broken, kernel)] if PLAIN_KERNEL.exists() else []
    changed = shell(f"printf '\\0\\0\\0\\0' >> {paths.GUEST_INITRD}")
    nothing = shell("")
    return [
        Fault("image", unload, load),
        Fault("ftrace", without_ftrace, with_ftrace, follows=("image",)),
        Fault("region-size", small_region, large_region),
        Fault("initrd", changed, initrd),
        Fault("initrd", lacking("init"), initrd),
        Fault("initrd", lacking("bin/sh"), initrd),
        *alone,
        *kernels,
        Fault("target", nothing, nothing, target="/dev/vdb"),
        Fault("target", nothing, nothing, target="/tmp"),
        Fault("panic-on-oops", setting("panic_on_oops", 0), setting("panic_on_oops", 1), "warning"),
        Fault("sysrq", setting("sysrq", 0), setting("sysrq", 1), "note"),
    ]


async def keeps_ftrace(guest: Guest) -> bool:
    """Whether the kernel has no way to switch ftrace off: Debian's 7.3.4 has none."""
    file = f"{SYSCTL}/ftrace_enabled"
    said = await guest.shell(
        f"rmmod rust_kexec; echo 0 > {file} && echo 1 > {file} && echo can be switched off; "
        f"insmod {paths.GUEST_MODULE}"
    )
    return not said


@needs("CONTIG_ALLOC")
@in_guest(Hardware(cpus=2, memory_mib=1024, arguments=SMALL_DISK), command_line="")
async def test_one_fault(guest: Guest, directory: Path) -> None:
    await be_careful(guest)
    keeps = await keeps_ftrace(guest)
    verdict = await doctor(guest)
    assert verdict.wrong == {"region"} and verdict.bad["image"] == "note", verdict
    await guest.shell("rkexec reserve 256M")
    await load(guest)
    before = await good(guest)
    for fault in faults(directory):
        if fault.name != "ftrace" or not keeps:
            await check(guest, fault, before)
    assert await good(guest) == before

    # There is no way back from these. What is armed stays so; what would be loaded next is not.
    await lock_down(guest)
    assert await doctor(guest) == Verdict(0, before.bad | {"lockdown": "note"})
    [kernel] = json.loads((await guest.rkexec("inspect", paths.GUEST_KERNEL, "--json")).stdout)
    # Debian signs its own.
    unsigned = set() if kernel["signature"] else {"signature"}
    assert (await doctor(guest, "--boot")).wrong == unsigned
    await guest.shell(f"echo 1 > {SYSCTL}/kexec_load_disabled")
    notes = {"lockdown": "note", "load-limits": "note"}
    assert await doctor(guest) == Verdict(0, before.bad | notes)
    assert (await doctor(guest, "--boot")).wrong == {"load-limits"} | unsigned


async def without_image_and_module(guest: Guest) -> None:
    """What is wrong before the module and an image are loaded."""
    await be_careful(guest)
    assert (await doctor(guest)).wrong == {"image"}
    await guest.shell("rmmod rust_kexec")
    assert (await doctor(guest)).wrong == {"module"}
    await guest.shell(f"insmod {paths.GUEST_MODULE}")


async def is_good(guest: Guest, facts: Facts) -> None:
    """The doctor expects a dump."""
    await good(guest)


async def test_good_machine_leaves_its_dump(directory: Path, random: Random) -> None:
    scenario = Scenario(
        name="doctor",
        capture_command_line=COMMAND_LINE,
        prepare=(without_image_and_module,),
        before=(is_good,),
    )
    await crash_and_check(scenario, directory, random)
