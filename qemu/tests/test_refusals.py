# SPDX-License-Identifier: GPL-2.0
"""Refusals: their errno and facts, and the armed image, which stays armed."""

import pytest

from harness import paths
from harness.guest.guest import Guest
from harness.guest.loading import RKEXEC_UNLOAD, kexec_file_load
from harness.guest.refusals import assert_refused, refuse
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.testing import in_guest, needs

LOAD = ("--load-panic", paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")


@in_guest(Hardware(memory_mib=2048))
async def test_refused_while_armed(guest: Guest) -> None:
    await guest.load()
    assert (await guest.status()).armed
    await guest.shell("tail -c 1000000 /bin/busybox > /tmp/not-a-kernel")
    await refuse(guest, ("rkexec", "--load-panic", "/tmp/not-a-kernel"), "ENOEXEC", PLATFORM.image)
    size = int(await guest.shell(f"stat -c %s {paths.GUEST_KERNEL}"))
    await guest.shell(f"head -c {size // 2} {paths.GUEST_KERNEL} > /tmp/truncated")
    # An EFI program as well, and as such it is found to be cut off: its sections or, where it is
    # signed, its signature.
    length = f"{size // 2}|{size // 2:#x}"
    await refuse(guest, ("rkexec", "--load-panic", "/tmp/truncated"), "ELIBBAD", length)
    await refuse(guest, ("rkexec", *LOAD, f"--command-line={'x' * 4000}"), "EINVAL", "4000 bytes")
    await refuse(
        guest,
        ("without-capability", "CAP_SYS_BOOT", "--", "rkexec", *LOAD),
        "EPERM",
        "CAP_SYS_BOOT",
    )
    # Sparse, and larger than the crash region.
    await guest.shell("truncate -s 300M /tmp/large")
    await refuse(
        guest,
        ("rkexec", "--load-panic", paths.GUEST_KERNEL, "--initrd=/tmp/large"),
        "EADDRNOTAVAIL",
        "initrd",
        "300 MiB",
        "crashkernel=",
    )
    # Nor does anybody else take the image's memory from under it.
    for argv in (
        ("rmmod", "rust_kexec"),
        kexec_file_load(),
        ("sh", "-c", "echo 0 > /sys/kernel/kexec_crash_size"),
    ):
        before = await guest.status()
        assert (await guest.run(*argv)).status != 0, argv
        assert await guest.status() == before, argv
    # After all that the first image is not only said to be armed.
    await guest.crash()
    await guest.captured()


@in_guest(command_line="")
async def test_refused_without_a_reservation(guest: Guest) -> None:
    await refuse(guest, ("rkexec", *LOAD), "EADDRNOTAVAIL", "crashkernel=")


@in_guest(command_line=f"crashkernel={PLATFORM.small_region_mib}M")
async def test_refused_by_a_small_region(guest: Guest) -> None:
    size = PLATFORM.small_region_mib
    await refuse(guest, ("rkexec", *LOAD), "EADDRNOTAVAIL", "kernel", f"{size} MiB", "crashkernel=")


@needs("KEXEC_FILE")
@in_guest()
async def test_refused_beside_the_kernels_own_image(guest: Guest) -> None:
    await refuse(guest, RKEXEC_UNLOAD, "ENOENT", "loaded")
    await guest.load_by_the_kernels_own()
    assert await guest.crash_image_is_loaded()
    await refuse(guest, ("rkexec", *LOAD), "EBUSY", "kexec -p -u")
    assert await guest.crash_image_is_loaded()
    await guest.unload_by_the_kernels_own()
    await guest.load()
    assert (await guest.status()).armed


@pytest.mark.skipif(
    not paths.has(paths.TARGET, "DYNAMIC_FTRACE"), reason="the kernel lacks CONFIG_DYNAMIC_FTRACE"
)
@in_guest()
async def test_refused_without_ftrace(guest: Guest) -> None:
    switch = "/proc/sys/kernel/ftrace_enabled"
    # With 7.3.4 (ftrace_enable_sysctl()) it cannot be switched off at all.
    if (await guest.run("sh", "-c", f"echo 0 > {switch}")).status == 0:
        await refuse(guest, ("rkexec", *LOAD), "EBUSY", "kernel.ftrace_enabled")
        await guest.shell(f"echo 1 > {switch}")
    await guest.load()
    # From the load on it stays on, and so do the hooks.
    assert (await guest.run("sh", "-c", f"echo 0 > {switch}")).status != 0
    assert (await guest.run(*kexec_file_load())).status != 0
    await guest.crash()
    await guest.captured()


@in_guest()
async def test_refused_by_sysctls(guest: Guest) -> None:
    """Sysctls that forbid the kernel's own kexec to load and to unload forbid it to ours."""
    limit = "/proc/sys/kernel/kexec_load_limit_panic"
    disabled = "/proc/sys/kernel/kexec_load_disabled"
    # A load without the privilege uses nothing up.
    await guest.shell(f"echo 4 > {limit}")
    unprivileged = ("without-capability", "CAP_SYS_BOOT", "--", "rkexec", *LOAD)
    await refuse(guest, unprivileged, "EPERM", "CAP_SYS_BOOT")
    await guest.load()
    await guest.unload()
    await guest.load()
    assert await guest.read(limit) == "1\n"
    # Also a load that is refused for another reason, as with the kernel's own kexec.
    await refuse(guest, ("rkexec", "--load-panic", "/init"), "ENOEXEC")
    assert await guest.read(limit) == "0\n"
    await refuse(guest, ("rkexec", *LOAD), "EPERM", "kexec_load_limit_panic is 0")
    await refuse(guest, RKEXEC_UNLOAD, "EPERM", "kexec_load_limit_panic is 0")
    await guest.shell(f"echo 1 > {disabled}")
    # A file that is mounted over the sysctl changes nothing.
    await guest.shell(f"echo 0 > /tmp/zero; mount --bind /tmp/zero {disabled}")
    await refuse(guest, ("rkexec", *LOAD), "EPERM", "kexec_load_disabled is 1")
    await refuse(guest, RKEXEC_UNLOAD, "EPERM", "kexec_load_disabled is 1")
    await guest.crash()
    await guest.captured()


@in_guest(command_line="crashkernel=256MB")
async def test_a_size_that_the_kernel_cannot_read_is_named(guest: Guest) -> None:
    """The command line asks for memory, but not in a way that the kernel understands."""
    line = await guest.shell("cat /proc/cmdline")
    column = line.index("crashkernel=256MB") + len("crashkernel=256M") + 1
    fact = f"although .* asks for some: crashkernel= goes on with 'B' at column {column} "
    assert_refused(await guest.run("rkexec", *LOAD), "EADDRNOTAVAIL", [fact])
    answer = await guest.run("rkexec", "crashkernel")
    assert answer.status == 1
    assert f"goes on with 'B' at column {column} " in answer.stdout
    asked = await guest.run("rkexec", "crashkernel", "crashkernel=64M")
    assert asked.status == 0
    assert asked.stdout.startswith("asked       64 MiB\nregion      0x")
