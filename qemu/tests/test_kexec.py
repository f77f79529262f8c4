# SPDX-License-Identifier: GPL-2.0
"""`rkexec` called as `kexec`: with the module, without it, and for a reboot."""

from pathlib import Path

import pytest

from harness import paths
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.guest.kernel import complaints
from harness.guest.loading import CAPTURE, CONSOLE
from harness.machine.hardware import Hardware
from harness.testing import in_guest, needs

# The words with which it says that the module is missing.
WITHOUT_MODULE = "the module rust_kexec is not there"
FILES = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")


async def install(guest: Guest) -> None:
    """Puts it where services look for kexec."""
    await guest.shell("cp $(command -v rkexec) /bin/kexec")


async def kexec(guest: Guest, *arguments: str, status: int = 0) -> str:
    """Runs it, asserts its exit status, and returns what it said."""
    finished = await guest.run("kexec", *arguments)
    assert finished.status == status, finished
    return finished.stderr


@in_guest()
async def test_for_a_crash(guest: Guest) -> None:
    """The module loads, and the exit statuses and files are those that services know."""
    await install(guest)
    size = int(await guest.read("/sys/kernel/kexec_crash_size"))
    assert (await guest.run("kexec", "--print-ckr-size")).check().stdout == f"{size}\n"
    await kexec(guest, "-S")
    said = await kexec(guest, "-s", "-p", *FILES, f"--command-line={CAPTURE}", "-a")
    assert said == ""
    status = await guest.status()
    assert status.armed and status.holder == "rust_kexec"
    assert (await guest.read("/sys/kernel/kexec_crash_loaded")).strip() == "1"
    await kexec(guest, "--stat", status=1)
    await kexec(guest, "-S", "-l")
    # A refusal costs nothing that is loaded.
    said = await kexec(guest, "-p", paths.GUEST_MODULE, status=255)
    assert said.startswith("kexec: ") and (await guest.status()).armed, said
    await kexec(guest, "-p", "-t", "elf-x86_64", paths.GUEST_INITRD, status=255)
    await kexec(guest, "-p", status=255)
    await kexec(guest, "-u", "--append=x", status=1)
    await kexec(guest, "-p", "-u")
    await kexec(guest, "-S")
    await kexec(guest, "-p", "-u")
    assert not (await guest.status()).armed
    assert not await complaints(guest)


@needs("KEXEC_FILE", "CRASH_DUMP")
@in_guest()
async def test_without_the_module(guest: Guest, directory: Path) -> None:
    """The kernel's own kexec stands in, with one line that says so, and a crash leaves a dump."""
    await install(guest)
    await guest.shell("rmmod rust_kexec")
    await kexec(guest, "-S")
    said = await kexec(guest, "-p", *FILES, f"--append={CAPTURE}")
    assert WITHOUT_MODULE in said and len(said.splitlines()) == 1, said
    await kexec(guest, "-S", status=1)
    said = await kexec(guest, "-p", "-u")
    assert WITHOUT_MODULE in said, said
    await kexec(guest, "-S")
    await kexec(guest, "-p", *FILES, f"--append={CAPTURE}")
    assert await guest.crash_image_is_loaded()
    await guest.crash()
    await guest.captured()
    await guest.save_vmcore()
    with Dump(directory / "vmcore") as dump:
        assert dump.program["kexec_crash_image"]
    (directory / "vmcore").unlink()


@needs("KEXEC_FILE")
@in_guest(command_line="")
async def test_without_a_region(guest: Guest) -> None:
    """What is missing is said, with and without the module, and the exit status is kexec's."""
    await install(guest)
    assert (await guest.run("kexec", "--print-ckr-size")).check().stdout == "0\n"
    assert "crashkernel=" in await kexec(guest, "-p", *FILES, status=1)
    await guest.shell("rmmod rust_kexec")
    assert "Please reserve memory by passing" in await kexec(guest, "-p", *FILES, status=1)


# 6.12.117's own kexec_file_load() faults in trans_pgd_create_copy() where the kernel was built for
# 52-bit addresses, and the CPU has 48.
faults = pytest.mark.skipif(
    paths.has(paths.TARGET, "ARM64_VA_BITS_52"), reason="the kernel's own kexec -l faults"
)


@needs("KEXEC_FILE", "CONTIG_ALLOC")
@in_guest(Hardware(cpus=2))
async def test_for_a_reboot(guest: Guest) -> None:
    """A kernel is loaded beside one for a crash, dropped, loaded again, and entered."""
    await install(guest)
    await kexec(guest, "-e", status=1)
    await guest.load()
    line = f"{CONSOLE} loaded_by=kexec"
    for _ in range(2):
        await kexec(guest, "-l", *FILES, f"--append={line}")
        await kexec(guest, "-S", "-l", status=1)
        assert (await guest.read("/sys/kernel/kexec_loaded")).strip() == "1"
        assert (await guest.status()).armed
        await kexec(guest, "-u")
        await kexec(guest, "-S", "-l")
    await kexec(guest, "--load", *FILES, "--append", "wrong", "--append", line)
    await enters(guest, "-e")


async def enters(guest: Guest, *arguments: str) -> None:
    """The machine reboots into the kernel that was loaded."""
    await guest.crash_by_running("kexec", *arguments)
    hello = await guest.rebooted()
    assert (hello.role, hello.cpus_online) == ("production", 2)
    assert (await guest.read("/proc/cmdline")).split()[-1] == "loaded_by=kexec"


@faults
@needs("KEXEC_FILE")
@in_guest(Hardware(cpus=2), command_line="")
async def test_for_a_reboot_without_the_module(guest: Guest) -> None:
    """The kernel's own kexec does it, and the caller is told."""
    await install(guest)
    await guest.shell("rmmod rust_kexec")
    said = await kexec(guest, "-l", *FILES, f"--append={CONSOLE} loaded_by=kexec")
    assert WITHOUT_MODULE in said and len(said.splitlines()) == 1, said
    await kexec(guest, "-S", "-l", status=1)
    await enters(guest, "-e")


@needs("KEXEC_FILE", "CONTIG_ALLOC")
@in_guest(Hardware(cpus=2), command_line="")
async def test_at_once(guest: Guest) -> None:
    """Loaded and entered in one, by the module alone."""
    await install(guest)
    await enters(guest, "-f", *FILES, "-x", f"--append={CONSOLE} loaded_by=kexec")
