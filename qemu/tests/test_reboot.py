# SPDX-License-Identifier: GPL-2.0
"""Images that a reboot enters: `rkexec -l`, `rkexec -e`."""

import json
import secrets
from pathlib import Path

import pytest

from harness import paths
from harness.dump.dump import Dump
from harness.guest.boot import boot
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, free_kib, iomem, kernel_words
from harness.guest.rebooting import MARK, enter, load
from harness.guest.refusals import assert_refused, refuse
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.reserving import fragment
from harness.testing import in_guest, needs
from harness.units import MIB

LOADED = "/sys/kernel/kexec_loaded"
FILES = (paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")
KEXEC_CORE = "KEXEC_CORE"

# An idle guest's figures move by less than 200 KiB.
ROUNDS = 20

# How much kernels at different addresses differ in what their allocators have; an image is larger.
TOTALS_DIFFER_KIB = 1024


async def for_reboot(guest: Guest) -> dict[str, object] | None:
    """What the module says of the loaded image."""
    answer = await guest.rkexec("--status", "--load", "--json")
    image: dict[str, object] | None = json.loads(answer.stdout)["for_reboot"]
    assert answer.status == (image is not None)
    return image


async def memory(guest: Guest) -> list[range]:
    """Where the kernel has memory."""
    pieces: list[range] = []
    for piece in await iomem(guest, "System RAM"):
        # What a boot loader has left there has an entry of its own.
        if pieces and pieces[-1].stop == piece.start:
            pieces[-1] = range(pieces[-1].start, piece.stop)
        else:
            pieces.append(piece)
    return pieces


async def total_kib(guest: Guest) -> int:
    """How much of it the kernel's allocators have."""
    return int(await guest.shell("awk '/MemTotal/ { print $2 }' /proc/meminfo"))


# Writes to the disk, of which nobody waits for the end, and keeps what was written.
WRITE = """
dd if=/dev/urandom of=/tmp/data bs=1M count=4
dd if=/tmp/data of=/dev/vda bs=1M seek=16 conv=notrunc
sha256sum < /tmp/data
rm /tmp/data
"""
READ = "dd if=/dev/vda bs=1M skip=16 count=4 | sha256sum"
# What goes on until the machine leaves. Not on arm64: its kernel switches CPUs off when the disk is
# shut down, and blk_mq_hctx_notify_offline() (6.12.117) waits for ever for a request that is left.
LOAD = "while :; do dd if=/dev/zero of=/dev/vda bs=1M seek=32 count=8 conv=notrunc; done"


async def again_and_again(guest: Guest, reboots: int, command_line: str) -> None:
    """Reboots from one CPU after the other, under load."""
    cpus = guest.hello.cpus_online
    expected = None
    for number in range(reboots):
        await load(guest, command_line)
        assert (await guest.read(LOADED)).strip() == "1"
        assert await for_reboot(guest) is not None
        written = await guest.shell(f"({WRITE}) 2>/dev/null")
        if paths.ARCH != "arm64":
            await guest.shell(f"({LOAD}) </dev/null >/dev/null 2>&1 &")
        hello = await enter(guest, number % cpus)
        assert hello.cpus_online == cpus
        assert not await complaints(guest)
        assert await for_reboot(guest) is None
        assert await guest.shell(f"({READ}) 2>/dev/null") == written
        # Nothing of the kernel before is lost. Where a kernel lies decides on some pages.
        found = (await memory(guest), await total_kib(guest))
        expected = expected or found
        assert found[0] == expected[0]
        assert abs(found[1] - expected[1]) < TOTALS_DIFFER_KIB


@needs(KEXEC_CORE)
@pytest.mark.parametrize("options", ["", "nokaslr"])
@in_guest(Hardware(cpus=3, network="e1000"))
async def test_again_and_again(guest: Guest, options: str, request: pytest.FixtureRequest) -> None:
    """Each CPU can leave; nothing is lost; and the last kernel leaves a dump when it crashes."""
    reboots = request.config.getoption("--reboots")
    await again_and_again(guest, reboots, f"crashkernel=256M {options}")
    await guest.load()
    await load(guest)
    await guest.crash()
    await guest.captured()
    with Dump(await guest.save_vmcore()) as dump:
        assert dump.panic_message == "sysrq triggered crash"
        line: str = dump.program["saved_command_line"].string_().decode()
        assert MARK in line
    dump.path.unlink()


@needs(KEXEC_CORE)
@in_guest(Hardware(cpus=1), f"crashkernel=256M {MARK}")
async def test_takes_the_running_kernels_place(guest: Guest) -> None:
    """With the running kernel's own command line, crashkernel= included."""
    before = (await guest.read("/proc/cmdline")).split()
    (await guest.rkexec("--load", *FILES, "--reuse-cmdline")).check()
    await enter(guest)
    assert (await guest.read("/proc/cmdline")).split() == before
    assert (await guest.status()).region


@needs(KEXEC_CORE, "EFI_STUB")
@in_guest(Hardware(cpus=2, firmware=True))
async def test_enters_under_uefi(guest: Guest) -> None:
    before = await guest.shell("ls /sys/firmware/efi /sys/firmware/acpi/tables")
    # The next one has what is written to boot parameters by kexec, not by the kernel's EFI stub.
    for _ in range(2):
        await load(guest)
        await enter(guest)
        assert await guest.shell("ls /sys/firmware/efi /sys/firmware/acpi/tables") == before
        assert not await complaints(guest)


LEVELS = {
    1: Hardware(cpu=PLATFORM.other_paging, options=("virtualization=on",)),
    2: Hardware(options=("gic-version=2", "virtualization=on")),
}


@pytest.mark.skipif(paths.ARCH != "arm64", reason="only arm64 has exception levels")
@pytest.mark.parametrize("level", LEVELS)
async def test_keeps_the_exception_level(level: int, tmp_path: Path) -> None:
    """A kernel that was started at EL2 starts the next one there, whether it stays there or not."""
    said = "CPU: All CPU.s. started at EL2"
    async with boot(tmp_path, LEVELS[level]) as guest:
        assert await kernel_words(guest, said)
        await load(guest)
        await enter(guest)
        assert await kernel_words(guest, said)
        # The relocator runs at that level too.
        await fragment(guest, *SCATTERED_MIB)
        await load(guest)
        assert await place(guest) == COPIED
        await enter(guest)
        assert await kernel_words(guest, said)
        assert not await complaints(guest)


@needs(KEXEC_CORE)
@in_guest(Hardware(open_memory=True))
async def test_damaged(guest: Guest) -> None:
    """A damaged image is not entered, and the machine goes on as if nothing had been asked."""
    await guest.load()
    await load(guest)
    image = await for_reboot(guest)
    assert image is not None
    entry = int(str(image["entry"]), 16)
    guest.machine.flip(entry + 5, 3)
    finished = await guest.rkexec("--exec")
    assert_refused(finished, "EIO", ["did not reboot", "load it again"])
    (line,) = await kernel_words(guest, "XXH64 of the kernel does not match")
    assert "was overwritten after the load. The machine does not reboot" in line
    assert (await guest.status()).armed and await for_reboot(guest) == image
    # A good one takes its place.
    await load(guest)
    await enter(guest)


# No piece of memory is long enough for the guests' kernel and initrd then.
SCATTERED_MIB = (1, 16)
DATA = "/boot/data"
# What the relocator's code begins with.
RELOCATOR = {
    "x86_64": bytes.fromhex("f30f1efafafc488b055b0000000f22d8"),
    "arm64": bytes.fromhex("9f2403d5df4f03d5d3070010412038d5"),
}
PAGE = 4096
IN_PLACE = "in its place"
COPIED = "copied at the reboot"


async def place(guest: Guest) -> object:
    """Whether the loaded image is where it will run."""
    image = await for_reboot(guest)
    assert image is not None
    return image["place"]


@needs(KEXEC_CORE)
@in_guest(Hardware(cpus=2, open_memory=True), f"crashkernel=256M {MARK}")
async def test_copied(guest: Guest) -> None:
    """Where memory has no piece that is long enough, the reboot copies the image to its place."""
    await guest.shell(f"dd if=/dev/urandom of={DATA} bs=1M count=4 2>&1")
    contents = await guest.shell(f"sha256sum {DATA}")
    if not paths.missing(paths.TARGET, ("CONTIG_ALLOC",)):
        await load(guest, "crashkernel=256M")
        # It stays loaded: what it gives back is on the CPUs' lists, where fragment leaves it.
        assert await place(guest) == IN_PLACE
    found = (await memory(guest), await total_kib(guest))
    for line in ("crashkernel=256M", "crashkernel=256M nokaslr"):
        await fragment(guest, *SCATTERED_MIB)
        await load(guest, line)
        assert await place(guest) == COPIED
        assert "the reboot copies it" in (await guest.rkexec("--status")).stdout
        await enter(guest, 1)
        assert not await complaints(guest)
        assert await guest.shell(f"sha256sum {DATA}") == contents
        assert await memory(guest) == found[0]
        assert abs(await total_kib(guest) - found[1]) < TOTALS_DIFFER_KIB
    await guest.load()
    await fragment(guest, *SCATTERED_MIB)
    await load(guest)
    assert await place(guest) == COPIED
    await guest.crash()
    await guest.captured()
    with Dump(await guest.save_vmcore()) as dump:
        assert dump.panic_message == "sysrq triggered crash"
    dump.path.unlink()


async def refuses_damage(guest: Guest, addresses: list[int], what: str) -> None:
    """Flips a bit at each of these, and asserts that a reboot finds the damage and does nothing."""
    assert addresses
    for address in addresses:
        guest.machine.flip(address, 1)
    finished = await guest.rkexec("--exec")
    assert_refused(finished, "EIO", ["did not reboot", "load it again"])
    assert await kernel_words(guest, f"XXH64 of the {what} does not match")


@needs(KEXEC_CORE)
@in_guest(Hardware(cpus=1, open_memory=True))
async def test_damaged_before_it_is_copied(guest: Guest) -> None:
    """Damage of what would be copied is found before anything is shut down."""
    await fragment(guest, *SCATTERED_MIB)
    mark = secrets.token_hex(32)
    await guest.shell(f"echo {mark} > {DATA}")
    await load(guest)
    image = await for_reboot(guest)
    assert image is not None and image["place"] == COPIED
    places = guest.machine.find(mark.encode())
    await refuses_damage(guest, places, "initrd")
    for address in places:
        guest.machine.flip(address, 1)
    await load(guest)
    # Its code begins a page; in the module, from which it was copied, it does not.
    code = [at for at in guest.machine.find(RELOCATOR[paths.ARCH]) if at % PAGE == 0]
    await refuses_damage(guest, code, "relocator")
    await load(guest)
    assert await place(guest) == COPIED
    await enter(guest)


@needs(KEXEC_CORE)
@in_guest(Hardware(cpus=1))
async def test_scattered_pages_are_given_back(guest: Guest) -> None:
    """Loading and unloading scattered images loses nothing."""
    await fragment(guest, *SCATTERED_MIB)
    script = f"for i in $(seq {ROUNDS}); do rkexec -l {' '.join(FILES)}; rkexec -l -u; done"
    await guest.shell(script, timeout_s=300)
    before = (await free_kib(guest), await total_kib(guest))
    await guest.shell(script, timeout_s=300)
    after = (await free_kib(guest), await total_kib(guest))
    print(f"after {ROUNDS} rounds: {before[0] - after[0]} KiB fewer free")
    assert before[0] - after[0] < ROUNDS * 8 and before[1] == after[1]
    await load(guest)
    assert await place(guest) == COPIED
    assert not await complaints(guest)


# Enough to read a kernel and an initrd of 128 MiB, and too little to place them, also when lists of
# CPUs give back free pages that MemAvailable does not count.
LEAVE_MEMORY = """
left=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
mkdir /tmp/full
mount -t tmpfs -o size=100% none /tmp/full
dd if=/dev/zero of=/tmp/full/data bs=1M count=$((left - 200)) 2>&1
"""


@needs(KEXEC_CORE)
@in_guest(Hardware(memory_mib=2048))
async def test_refused(guest: Guest) -> None:
    await load(guest)
    image = await for_reboot(guest)
    for argv, errno, fact in (
        (("rkexec", "-l", "/init"), "ENOEXEC", "kernel"),
        (("rkexec", "-l", *FILES, "--append=elfcorehdr=1M"), "EINVAL", "leave it out"),
        (("rkexec", "-l", *FILES, f"--append={'x' * 70000}"), "EINVAL", "shorten it"),
        (
            ("without-capability", "CAP_SYS_BOOT", "--", "rkexec", "-l", *FILES),
            "EPERM",
            "CAP_SYS_BOOT",
        ),
    ):
        await refuse(guest, argv, errno, fact)
        assert await for_reboot(guest) == image
    (await guest.rkexec("-l", "-u")).check()
    await refuse(guest, ("rkexec", "-l", "-u"), "ENOENT", "for a reboot")
    finished = await guest.rkexec("-e")
    assert finished.status == 1 and "load one with -l" in finished.stderr
    assert (await guest.read(LOADED)).strip() == "0"

    await guest.shell("dd if=/dev/zero of=/tmp/initrd bs=1M count=128 2>&1")
    await guest.shell(LEAVE_MEMORY)
    before = await free_kib(guest)
    finished = await guest.rkexec("-l", paths.GUEST_KERNEL, "--initrd=/tmp/initrd")
    assert_refused(finished, "ENOMEM", ["needs .* only .* to spare", "MiB.* too little"])
    assert before - await free_kib(guest) < MIB // 1024
    await guest.shell("umount /tmp/full")
    await guest.shell("echo 1 > /proc/sys/kernel/kexec_load_disabled")
    await refuse(guest, ("rkexec", "-l", *FILES), "EPERM", "kexec_load_disabled")


@needs(KEXEC_CORE)
@in_guest(Hardware(cpus=1))
async def test_given_back(guest: Guest) -> None:
    """Loading and unloading loses nothing, and a module that goes gives all back."""
    script = f"for i in $(seq {ROUNDS}); do rkexec -l {' '.join(FILES)}; rkexec -l -u; done"
    await guest.shell(script, timeout_s=300)
    before = await free_kib(guest)
    await guest.shell(script, timeout_s=300)
    print(f"after {ROUNDS} rounds: {before - await free_kib(guest)} KiB fewer free")
    assert before - await free_kib(guest) < ROUNDS * 8
    await guest.shell(f"rkexec -l {' '.join(FILES)}")
    assert (await guest.run("rmmod", "rust_kexec")).status != 0
    await guest.shell("rkexec -l -u; rmmod rust_kexec")
    assert (await guest.read(LOADED)).strip() == "0"
    assert not await complaints(guest)
