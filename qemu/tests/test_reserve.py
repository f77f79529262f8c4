# SPDX-License-Identifier: GPL-2.0
"""Memory that is set aside while the kernel runs: refusals, and giving it back."""

import re

from harness import paths
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, free_kib, iomem, kernel_words
from harness.guest.refusals import assert_refused, refuse
from harness.guest.status import Status
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.reserving import SIZE_MIB, fragment, insert_with_region, named
from harness.testing import in_guest, needs
from harness.units import GIB, KIB, MIB

FILES = "/sys/module/rust_kexec/region"

# An idle guest's figures move by less than 200 KiB, however many rounds there are.
ROUNDS = 100
WARM_UP = 10

CYCLE = f"""
for round in $(seq %d); do
    rkexec reserve {SIZE_MIB}M
    rkexec reserve 0
done
"""

HARDWARE = Hardware(cpus=1)


async def reserved(guest: Guest) -> int:
    """The kernel's own word on how much is set aside."""
    return int(await guest.read("/sys/kernel/kexec_crash_size"))


@needs("CONTIG_ALLOC")
@in_guest(HARDWARE, command_line="")
async def test_given_back(guest: Guest) -> None:
    """Taking and giving back loses nothing, and a module that goes gives back."""
    await guest.shell(CYCLE % WARM_UP, timeout_s=120)
    before = await free_kib(guest)
    await guest.shell(CYCLE % ROUNDS, timeout_s=600)
    after = await free_kib(guest)
    print(f"after {ROUNDS} rounds: {before - after} KiB fewer free")
    # A page lost in each round would come to more.
    assert before - after < ROUNDS * 3
    assert (await guest.status()).regions == []
    assert await reserved(guest) == 0

    (await guest.rkexec("reserve", f"{SIZE_MIB}M")).check()
    assert await reserved(guest) == SIZE_MIB * MIB
    held = await free_kib(guest)
    assert abs((after - held) * KIB - SIZE_MIB * MIB) < MIB
    await guest.shell("rmmod rust_kexec")
    # The module's own memory is free as well.
    assert (after - await free_kib(guest)) * KIB < MIB
    assert await reserved(guest) == 0
    assert not await complaints(guest)


@needs("CONTIG_ALLOC")
@in_guest(Hardware(cpus=2, memory_mib=2048), command_line="")
async def test_refused(guest: Guest) -> None:
    load = ("rkexec", "--load-panic", paths.GUEST_KERNEL, f"--initrd={paths.GUEST_INITRD}")
    await refuse(guest, load, "EADDRNOTAVAIL", "rkexec reserve 256M")
    await refuse(guest, ("rkexec", "reserve", "4G"), "ENOMEM", r"4 GiB.* to spare")
    await refuse(
        guest,
        ("without-capability", "CAP_SYS_BOOT", "--", "rkexec", "reserve", "64M"),
        "EPERM",
        "CAP_SYS_BOOT",
    )

    # What does not suffice for the image is left as it is, and something larger can be had instead.
    small_mib = PLATFORM.small_region_mib
    (await guest.rkexec("reserve", f"{small_mib}M")).check()
    small = await guest.status()
    assert small.source == "run time" and len(small.region) == small_mib * MIB
    await refuse(guest, load, "EADDRNOTAVAIL", f"{small_mib} MiB", "reserve more")
    said = (await guest.rkexec("reserve", f"{SIZE_MIB}M")).check().stdout
    assert re.search(rf"^region .*\({SIZE_MIB} MiB\), taken at run time$", said, re.MULTILINE), said
    status = await guest.status()
    assert len(status.region) == SIZE_MIB * MIB
    # The same again changes nothing.
    (await guest.rkexec("reserve", f"{SIZE_MIB}M")).check()
    assert await guest.status() == status

    # An armed image keeps its memory.
    await guest.load()
    for size in ("0", "64M", "256M"):
        await refuse(guest, ("rkexec", "reserve", size), "EBUSY", "unload it first")
    await guest.unload()
    (await guest.rkexec("reserve", "0")).check()
    await refuse(guest, load, "EADDRNOTAVAIL")


@needs("CONTIG_ALLOC")
@in_guest(Hardware(cpus=2, memory_mib=2048), command_line="")
async def test_too_scattered(guest: Guest) -> None:
    await fragment(guest)
    before = await free_kib(guest)
    finished = await guest.rkexec("reserve", "1400M")
    assert_refused(finished, "ENOMEM", ["1.3 GiB.* cannot be taken from the running kernel"])
    # Nothing of it is kept, and what the sentence says can be had.
    assert before - await free_kib(guest) < MIB // KIB
    assert (await guest.status()).regions == []
    found = re.search(r"(0x\w+) bytes \S+ \S+ could be had, (0x\w+) bytes", finished.stderr)
    assert found, finished.stderr
    both, largest = (int(number, 16) for number in found.groups())
    assert 0 < largest <= both < 1400 * MIB
    (await guest.rkexec("reserve", str(largest))).check()
    status = await guest.status()
    assert [len(region) for region in status.regions] == [largest]


@needs("CONTIG_ALLOC")
@in_guest(HARDWARE)
async def test_reserved_at_boot(guest: Guest) -> None:
    status = await guest.status()
    assert status.source == "crashkernel="
    # Neither more nor nothing.
    for size in ("0", "257M", "64G"):
        await refuse(
            guest, ("rkexec", "reserve", size), "EEXIST", "has reserved .*256 MiB.* at boot"
        )

    # The parameter is for machines of both kinds: it keeps what is there.
    await guest.shell(f"rmmod rust_kexec; insmod {paths.GUEST_MODULE} reserve=64M")
    assert (await guest.status()) == status
    await guest.shell("rmmod rust_kexec")
    assert (await guest.run("insmod", paths.GUEST_MODULE, "reserve=much")).status != 0
    assert await kernel_words(guest, "reserve= needs a number of bytes")
    await guest.shell(f"insmod {paths.GUEST_MODULE}")

    # A part is given back, but not from under an image.
    await guest.load()
    await refuse(
        guest, ("rkexec", "reserve", "224M"), "EBUSY", r"has 0x\w+ bytes .* of it: unload it first"
    )
    await guest.unload()
    await guest.load_by_the_kernels_own()
    await refuse(guest, ("rkexec", "reserve", "224M"), "EBUSY", "kexec -p -u")
    await guest.unload_by_the_kernels_own()
    (await guest.rkexec("reserve", "224M")).check()
    smaller = await guest.status()
    assert smaller.region == range(status.region.start, status.region.start + 224 * MIB)
    assert await reserved(guest) == 224 * MIB
    await guest.load()


# Memory on both sides of 4 GiB is kept free.
NAMED = {
    "x86_64": ("memmap=256M$1G memmap=256M$4608M", 1 * GIB, 4608 * MIB),
    # RAM starts at 1 GiB.
    "arm64": ("mem=2560M", 3584 * MIB, 4608 * MIB),
}
OPTIONS, LOW, HIGH = NAMED[paths.ARCH]


async def refuse_region(guest: Guest, parameter: str, errno: str, sentence: str) -> None:
    """A module that does not come, and changes nothing."""
    before = await guest.read("/proc/iomem")
    await guest.shell("dmesg -c >/dev/null")
    finished = await guest.run("insmod", paths.GUEST_MODULE, parameter)
    assert finished.status != 0 and errno in finished.stderr, finished
    assert await kernel_words(guest, f"rust_kexec: region=.*{sentence}"), parameter
    assert await guest.read("/proc/iomem") == before
    assert (await guest.run("test", "-e", "/dev/rust_kexec")).status != 0


@in_guest(Hardware(cpus=1, memory_mib=5120), command_line=OPTIONS)
async def test_named(guest: Guest) -> None:
    low, high = range(LOW, LOW + 256 * MIB), range(HIGH, HIGH + 256 * MIB)
    await guest.shell("rmmod rust_kexec")
    for text in ("64M", f"64M${LOW:#x}", f"0@{LOW:#x}", f"64M@{LOW:#x},1M@{LOW:#x}"):
        await refuse_region(guest, f"region={text}", "Invalid argument", "sizes and places")
    for parameter, errno, sentence in (
        (named(range(LOW, LOW + MIB + 1)), "Invalid argument", "does not consist of whole pages"),
        (named(range(LOW + 1, LOW + MIB + 1)), "Invalid argument", "does not consist of whole"),
        (named(range(LOW - MIB, LOW + MIB)), "busy", f"the running kernel uses 0x.*-{LOW:#x}"),
        (named(range(64 * GIB, 65 * GIB)), "Cannot assign", "is not all RAM, .* firmware"),
        (named(range(5 * GIB, 8 * GIB)), "Cannot assign", r"0x\w+-0x200000000 is not\."),
        (named(high), "Cannot assign", "none of the named memory is in"),
        (
            named(*(range(LOW + n * MIB, LOW + n * MIB + KIB * 64) for n in range(9))),
            "Invalid argument",
            "sizes and places",
        ),
    ):
        await refuse_region(guest, parameter, errno, sentence)

    if paths.ARCH == "arm64":
        three = (range(LOW + n * MIB, LOW + n * MIB + KIB * 64) for n in range(3))
        await refuse_region(guest, named(*three), "Invalid argument", "can be told of 2")
        # The end of RAM below 4 GiB is there for DMA.
        whole = named(range(LOW, HIGH + 256 * MIB))
        await guest.shell(f"insmod {paths.GUEST_MODULE} {whole}; rmmod rust_kexec")

    hold = f"insmod {paths.GUEST_HOLD_MEMORY} start={LOW + 32 * MIB:#x} len={MIB:#x}"
    await guest.shell(hold)
    await refuse_region(guest, named(low), "busy", "somebody else has some of")
    await guest.shell("rmmod hold_memory")

    # It is there for images as any other.
    await guest.shell(f"insmod {paths.GUEST_MODULE}")
    await insert_with_region(low, high)(guest)
    assert (await guest.run("sh", "-c", hold)).status != 0
    await guest.load()
    await guest.load()
    status = await guest.status()
    assert status.replacement == "beside" and status.write_protected
    for size in ("0", "64M"):
        await refuse(guest, ("rkexec", "reserve", size), "EEXIST", "region=")
    await guest.unload()
    await guest.load()
    await guest.unload()
    await guest.shell("rmmod rust_kexec")
    assert await iomem(guest, "rust_kexec") == []
    assert await reserved(guest) == 0
    assert not await complaints(guest)


def told(status: Status) -> dict[str, str]:
    """What the files about the region have to say."""

    def addresses(regions: list[range]) -> str:
        return " ".join(f"{one.start:#x}-{one.stop:#x}" for one in regions) or "none"

    others = [region for region in status.regions if region != status.region]
    return {
        "source": status.source or "none",
        "range": addresses([status.region] if status.region else []),
        "more": addresses(others),
        "shared": addresses(status.shared_regions),
        "size": str(sum(len(region) for region in status.regions)),
        "used": str(status.used or 0),
        "free": str(len(status.region) - (status.used or 0)),
        "holder": status.holder or "none",
        "write_protected": str(int(status.write_protected is True)),
    }


async def check_files(guest: Guest) -> dict[str, str]:
    """Asserts that they say what `rkexec -S` says, and returns it."""
    script = f"cd {FILES}; for file in *; do echo $file=$(cat $file); done"
    files = dict(line.split("=", 1) for line in (await guest.shell(script)).splitlines())
    assert files == told(await guest.status())
    return files


@needs("CONTIG_ALLOC")
@in_guest(Hardware(cpus=1, memory_mib=2048), command_line="")
async def test_files(guest: Guest) -> None:
    """The files in sysfs say what the command says."""
    assert (await check_files(guest))["source"] == "none"
    await fragment(guest)
    (await guest.rkexec("reserve", f"{SIZE_MIB}M")).check()
    files = await check_files(guest)
    assert files["more"] != "none" and files["used"] == "0", files
    await guest.load()
    files = await check_files(guest)
    assert (files["holder"], files["write_protected"]) == ("rust_kexec", "1"), files
    assert int(files["used"]) > 0
    # Addresses are root's.
    modes = (await guest.shell(f"cd {FILES}; stat -c '%n %a' *")).splitlines()
    private = {line.split()[0] for line in modes if line.endswith(" 400")}
    assert private == {"range", "more", "shared"} and len(modes) == len(files), modes
    await guest.unload()
    assert (await check_files(guest))["holder"] == "nobody"
    await guest.shell("rmmod rust_kexec")
    assert (await guest.run("test", "-e", FILES)).status != 0
    assert not await complaints(guest)
