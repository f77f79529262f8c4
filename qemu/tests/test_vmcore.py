# SPDX-License-Identifier: GPL-2.0
"""`/proc/vmcore` of the module, also in kernels that have one of their own."""

import base64
import json
import signal
import struct
from itertools import pairwise
from pathlib import Path
from random import Random
from unittest.mock import ANY

import pytest

from harness import paths
from harness.crash.scenario import Scenario
from harness.guest.boot import prepared
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, free_kib, iomem, kernel_words, mapped_areas
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS, measured
from harness.images.core_header import PT_LOAD, PT_NOTE, Piece, core_header, note
from harness.machine.hardware import Hardware
from harness.testing import in_capture_kernel, in_guest
from harness.units import MIB, PAGE

# Of the kernel that QEMU boots with memory that was prepared.
VMCORE = OURS if paths.has(paths.TARGET, "PROC_VMCORE") else THEIRS
AT = 0x2000_0000
SIZE = 64 * MIB
DIRECT_MAP = 0xFFFF_8880_0000_0000

# Where in the prepared memory things are: the core header, notes, and what is dumped.
NOTES = AT + PAGE
DUMPED = AT + 2 * MIB

prepared_only = pytest.mark.skipif(
    paths.ARCH != "x86_64", reason="only x86_64 can be told of memory that it leaves alone"
)


def known_notes() -> bytes:
    """One note, and zeros behind it as a CPU has that never ran."""
    return note(b"CORE", 1, bytes(range(200))) + bytes(100)


def known_memory(random: Random) -> tuple[bytes, bytes, list[Piece]]:
    """Memory with a core header, the bytes to be dumped, and what the header says."""
    dumped = random.randbytes(40 * MIB + 3 * PAGE)
    pieces = [
        Piece(PT_NOTE, NOTES, known_notes()),
        Piece(PT_LOAD, DUMPED + 0x123, dumped[0x123 : 5 * PAGE], DIRECT_MAP + 0x123),
        Piece(PT_LOAD, DUMPED + 5 * PAGE, dumped[5 * PAGE :], DIRECT_MAP + 5 * PAGE),
    ]
    memory = core_header(pieces).ljust(PAGE, b"\0") + known_notes()
    memory = memory.ljust(DUMPED - AT, b"\0") + dumped
    return memory.ljust(SIZE, b"\0"), dumped, pieces


async def check_bytes(guest: Guest, expected: bytes, offset: int) -> None:
    """A part of the file, read and mapped."""
    finished = await guest.run(
        "vmcore", "bytes", VMCORE, f"--offset={offset}", f"--len={len(expected)}"
    )
    found = json.loads(finished.check().stdout)
    assert found == {"read": expected.hex(), "mapped": expected.hex()}, hex(offset)


def sum_of_words(data: bytes) -> int:
    """As `vmcore time` prints it."""
    return sum(memoryview(data).cast("Q")) & ((1 << 64) - 1)


async def reload(guest: Guest, *parameters: str) -> None:
    """The module anew."""
    await guest.shell("rmmod rust_kexec")
    (await guest.run("insmod", paths.GUEST_MODULE, *parameters)).check()


@prepared_only
async def test_known_memory_is_served(directory: Path, random: Random) -> None:
    memory, dumped, pieces = known_memory(random)
    notes = known_notes()[:-100]
    async with prepared(directory, memory, AT, AT) as guest:
        size = 2 * PAGE + len(dumped)
        assert await guest.shell(f"stat -c '%s %a' {VMCORE}") == f"{size} 400\n"
        header = await guest.shell(f"head -c {64 + 3 * 56} {VMCORE} | base64")
        [_, *programs] = struct.iter_unpack("<IIQQQQQQ", b"".join((
            bytes(56), base64.b64decode(header)[64:]
        )))
        assert programs == [
            (PT_NOTE, 0, PAGE, 0, 0, len(notes), len(notes), 4),
            *(
                (PT_LOAD, 7, 2 * PAGE + piece.address - DUMPED, piece.virtual,
                 piece.address, len(piece.contents), len(piece.contents), 0)
                for piece in pieces[1:]
            ),
        ]
        # All in one mapping, of which the module has a part mapped for reading.
        await check_bytes(guest, dumped[5 * PAGE : 6 * PAGE], 7 * PAGE)
        whole = await guest.run("vmcore", "time", VMCORE, f"--map={size}")
        first_page = base64.b64decode(await guest.shell(f"head -c {PAGE} {VMCORE} | base64"))
        expected = first_page + notes.ljust(PAGE, b"\0") + dumped
        assert json.loads(whole.check().stdout) == {
            "bytes": size, "sum": f"{sum_of_words(expected):#018x}", "seconds": ANY
        }

        await check_bytes(guest, notes.ljust(PAGE, b"\0"), PAGE)
        for offset in (0, 5 * PAGE, 2 * MIB, len(dumped) - 2 * PAGE):
            await check_bytes(guest, dumped[offset : offset + 2 * PAGE], 2 * PAGE + offset)

        # Holes, of pages that are excluded.
        hole = range(DUMPED + 3 * PAGE, DUMPED + 7 * PAGE)
        await reload(guest, f"exclude={hole.start + 1:#x}-{hole.stop:#x},0x1000-0x2000")
        finished = await guest.run("vmcore", "extents", VMCORE)
        assert json.loads(finished.check().stdout)["extents"] == [
            [0, "data"], [5 * PAGE, "hole"], [9 * PAGE, "data"]
        ]
        zeros = dumped[2 * PAGE : 3 * PAGE] + bytes(4 * PAGE) + dumped[7 * PAGE : 8 * PAGE]
        await check_bytes(guest, zeros, 4 * PAGE)
        await guest.shell("rmmod rust_kexec")
        refused = await guest.run("insmod", paths.GUEST_MODULE, "exclude=0x3000-0x1000")
        assert refused.status != 0
        assert "entry 1 of exclude=" in (await kernel_words(guest, "no /proc/vmcore"))[-1]
        assert await complaints(guest) == []


def field(index: int, offset: int, value: int) -> tuple[int, bytes]:
    """A field of a program header."""
    return 64 + 56 * index + offset, struct.pack("<Q", value)


# What is written where into the memory, and what the log says then. More of them, without a
# kernel around it, are in kexec_core/tests/core/dump/elfcorehdr/cases.rs.
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
    "notes behind memory": ((64 + 56 * 2, b"\x04"), "has type 4"),
    "endless notes": (field(0, 40, 1 << 63), "impossible extent"),
    "endless memory": (field(2, 40, (1 << 64) - 1), "impossible extent"),
    "memory elsewhere": (field(1, 24, 5), "should be equal"),
    "overlapping memory": (field(2, 16, DIRECT_MAP), "overlap another one's"),
}


@prepared_only
async def test_malformed_core_headers_are_refused(directory: Path, random: Random) -> None:
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
            # busybox asks the kernel in two ways before it gives up.
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


async def read_error(guest: Guest, offset: int) -> str:
    """What reading a page of the file fails with."""
    finished = await guest.run(
        "dd", f"if={VMCORE}", "of=/dev/null", f"bs={PAGE}", f"skip={offset // PAGE}", "count=1"
    )
    assert finished.status != 0, finished
    return finished.stderr


@prepared_only
async def test_memory_beside_ram(directory: Path, random: Random) -> None:
    """The core header is in a page that is RAM in part, and memory that is in use is not dumped."""
    # Of RAM there is what is named here, and it begins within the last page. Between is nothing that
    # the kernel knows of, as in a kernel that kexec_file_load(2) has loaded.
    ram = "memmap=exactmap memmap=639K@0 memmap=511M@1M memmap=256M@0x23ffff00"
    memory = bytearray(random.randbytes(SIZE - 0x100))
    last = SIZE - PAGE
    in_use = AT // 2
    pieces = [
        Piece(PT_NOTE, NOTES, known_notes()),
        Piece(PT_LOAD, in_use, bytes(2 * MIB), DIRECT_MAP + in_use),
        Piece(PT_LOAD, AT + last - 3 * PAGE, memory[last - 3 * PAGE :], DIRECT_MAP + AT),
    ]
    header = core_header(pieces)
    memory[last : last + len(header)] = header
    memory[PAGE : PAGE + len(known_notes())] = known_notes()
    # The kernel's image, whose pages no allocator has, must be elsewhere.
    async with prepared(
        directory, memory, AT, AT + last, options=f"nokaslr {ram}"
    ) as guest:
        assert await complaints(guest) == []
        assert int(await guest.shell(f"stat -c %s {VMCORE}")) == 6 * PAGE + 2 * MIB
        assert "Input/output error" in await read_error(guest, 2 * PAGE)
        mapped = await guest.run(
            "vmcore", "time", VMCORE, f"--map={PAGE}", f"--offset={2 * PAGE}"
        )
        assert "cannot map the dump" in mapped.stderr and "EIO" in mapped.stderr, mapped
        beside = 2 * PAGE + 2 * MIB
        await check_bytes(guest, bytes(memory[last - 3 * PAGE : last]), beside)
        await check_bytes(guest, bytes(memory[last:]), beside + 3 * PAGE)
        assert await complaints(guest) == []


@prepared_only
@pytest.mark.skipif(
    not paths.has(paths.TARGET, "TRANSPARENT_HUGEPAGE"),
    reason="without large pages no page is left to the first access",
)
async def test_memory_that_is_not_there(directory: Path, random: Random) -> None:
    """A process that accesses it gets a signal, and does not try for ever."""
    # No CPU of QEMU's has so many address lines.
    nowhere = 1 << 48
    pieces = [
        Piece(PT_NOTE, NOTES, known_notes()),
        Piece(PT_LOAD, nowhere, bytes(4 * MIB), DIRECT_MAP),
    ]
    memory = core_header(pieces).ljust(PAGE, b"\0") + known_notes()
    async with prepared(directory, memory.ljust(SIZE, b"\0"), AT, AT) as guest:
        assert "cannot allocate memory" in (await read_error(guest, 2 * PAGE)).lower()
        mapped = await guest.run(
            "vmcore", "time", VMCORE, f"--map={4 * MIB}", f"--offset={2 * PAGE}"
        )
        assert mapped.status == -signal.SIGBUS, mapped
        assert await complaints(guest) == []


@prepared_only
async def test_nothing_is_left_behind(directory: Path, random: Random) -> None:
    """Readers that are killed, and a mapping that is held when the module should go."""
    memory, *_ = known_memory(random)
    async with prepared(directory, memory, AT, AT, Hardware(cpus=2)) as guest:
        await guest.shell("rmmod rust_kexec")
        before = await mapped_areas(guest)
        await guest.shell(f"insmod {paths.GUEST_MODULE}")
        for _ in range(20):
            moment = random.randrange(1, 40_000)
            await guest.shell(
                f"dd if={VMCORE} of=/dev/null bs=64M 2>/dev/null & reader=$!; "
                f"vmcore time {VMCORE} --map 4194304 >/dev/null & mapper=$!; "
                f"usleep {moment}; kill -9 $reader $mapper 2>/dev/null || true; "
                "wait"
            )
        holder = await guest.spawn("vmcore", "hold", VMCORE, "--len=4194304")
        assert (await guest.run("rmmod", "rust_kexec")).status != 0
        assert (await guest.run("test", "-e", VMCORE)).status == 0
        await guest.shell(
            f"kill {holder['pid']}; while test -e /proc/{holder['pid']}/exe; do :; done"
        )
        # A file that is open is closed for its reader.
        await guest.shell(f"exec 3< {VMCORE}; rmmod rust_kexec; ! cat <&3 2>/dev/null")
        assert await mapped_areas(guest) == before
        assert await complaints(guest) == []


@prepared_only
async def test_mappings_keep_the_module(directory: Path, random: Random) -> None:
    """A process maps the dump and unmaps it while the module is removed, over and over."""
    memory, *_ = known_memory(random)
    # So long that a mapping is being made most of the time. Nobody touches what is excluded.
    size = 4 << 30
    for place, data in (field(2, 32, size), field(2, 40, size)):
        memory = memory[:place] + data + memory[place + len(data) :]
    start = DUMPED + 5 * PAGE
    parameters = f"exclude={start:#x}-{start + size:#x}"
    async with prepared(directory, memory, AT, AT, Hardware(cpus=2)) as guest:
        await reload(guest, parameters)
        churn = await guest.spawn(
            "vmcore", "churn", VMCORE, f"--offset={7 * PAGE}", f"--len={size}"
        )
        tries = await guest.shell(
            "removed=0 tries=0; while [ $removed -lt 8 ]; do tries=$((tries + 1)); "
            "if rmmod rust_kexec 2>/dev/null; then removed=$((removed + 1)); "
            f"insmod {paths.GUEST_MODULE} {parameters}; fi; done; echo $tries",
            timeout_s=120,
        )
        print(f"the module could be removed 8 times of {int(tries)}")
        assert (await guest.run("kill", str(churn["pid"]))).status == 0
        assert await complaints(guest) == []


@prepared_only
async def test_the_module_leaves_no_memory_behind(directory: Path, random: Random) -> None:
    memory, *_ = known_memory(random)
    async with prepared(directory, memory, AT, AT, Hardware(cpus=1)) as guest:
        free = []
        # The first times the kernel makes page tables and caches that it keeps.
        for repeat in (5, 30, 30, 30):
            await guest.shell(
                f"for i in $(seq {repeat}); do rmmod rust_kexec; insmod {paths.GUEST_MODULE}; "
                f"dd if={VMCORE} of=/dev/null bs=1M 2>/dev/null; "
                f"vmcore time {VMCORE} --map 4194304 >/dev/null; done",
                timeout_s=300,
            )
            free.append(await free_kib(guest))
        # A page each time would be 120 KiB. What the kernel keeps for itself is not lost again.
        lost = [before - after for before, after in pairwise(free)]
        assert min(lost) < 100, free
        assert await complaints(guest) == []


@in_guest(Hardware(cpus=1))
async def test_an_address_that_is_lost(guest: Guest) -> None:
    """A kernel that had a core header does not become one that waits for a crash."""
    await guest.shell("rmmod rust_kexec")
    symbols = await guest.shell("grep -E ' (_text|elfcorehdr_addr)$' /proc/kallsyms")
    addresses = {line.split()[2]: int(line.split()[0], 16) for line in symbols.splitlines()}
    [code] = iomem(await guest.read("/proc/iomem"), "Kernel code")
    place = code.start + addresses["elfcorehdr_addr"] - addresses["_text"]
    # ELFCORE_ADDR_ERR: what a kernel leaves that has read the header itself.
    await guest.shell(
        "printf '\\376\\377\\377\\377\\377\\377\\377\\377' | "
        f"dd of=/dev/mem bs=8 oflag=seek_bytes seek={place} conv=notrunc"
    )
    assert (await guest.run("insmod", paths.GUEST_MODULE)).status != 0
    assert (await kernel_words(guest, "rust_kexec:"))[-1].startswith(
        "rust_kexec: there will be no /proc/vmcore: this kernel was given the address"
    )
    assert (await guest.run("test", "-e", "/dev/rust_kexec")).status == 1


@pytest.mark.skipif(not HAS_BOTH, reason="a kernel without a file of its own keeps the address")
@in_capture_kernel(Scenario(name="without-proc"))
async def test_without_proc(guest: Guest) -> None:
    """The module finds its role where nobody has mounted /proc yet."""
    await guest.shell(
        f"rmmod rust_kexec; umount /proc; insmod {paths.GUEST_MODULE}; "
        "mount -t proc proc /proc"
    )
    assert (await guest.run("test", "-e", OURS)).status == 0
    assert await complaints(guest) == []


@pytest.mark.skipif(HAS_BOTH, reason="makedumpfile in the initrd leaves no room in 64 MiB")
@in_capture_kernel(Scenario(name="64-mib", command_line="crashkernel=64M"))
async def test_a_reader_with_little_memory(guest: Guest) -> None:
    [line] = await kernel_words(guest, "memory is in /proc")
    windows = int(line.split(" read through ")[1].split()[0])
    assert windows < 8
    idle = len(await mapped_areas(guest))
    whole = await measured(guest, THEIRS, "--read", str(MIB))
    assert whole > 0
    await measured(guest, THEIRS, "--read", "4096", "--readers", "4")
    await measured(guest, THEIRS, "--map", str(4 * MIB), "--readers", "2")
    assert len(await mapped_areas(guest)) - idle <= windows
    assert await complaints(guest) == []
