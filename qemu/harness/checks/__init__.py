# SPDX-License-Identifier: GPL-2.0
"""What must be true of a dump."""

import struct

from harness.crash.scenario import BadMoment, Check, Facts
from harness.dump.dump import Dump
from harness.machine.platform import PLATFORM
from harness.steps import PAGES

PAGE = 4096
U64 = (1 << 64) - 1


def ours_alone(dump: Dump, facts: Facts) -> None:
    """The kernel's own kexec had nothing loaded when the guest crashed."""
    assert facts.kernels_own_image is False


def whole(dump: Dump, facts: Facts) -> None:
    """The file ends where its last segment ends."""
    assert dump.path.stat().st_size == dump.end


def release(dump: Dump, facts: Facts) -> None:
    """The dump is of the kernel that crashed."""
    assert dump.release == facts.hello.release
    assert dump.vmcoreinfo["OSRELEASE"] == facts.hello.release


def panic_message(dump: Dump, facts: Facts) -> None:
    """The log ends in the panic that the guest was given."""
    assert dump.panic_message == facts.panic.message


def crash_time(dump: Dump, facts: Facts) -> None:
    """CRASHTIME is the guest's time at the crash."""
    assert 0 <= int(dump.vmcoreinfo["CRASHTIME"]) - facts.crash_time < 600


def crashed_stack(dump: Dump, facts: Facts) -> None:
    """The thread that panicked is known; its stack goes from the first hook through the trigger."""
    functions = [frame.name for frame in dump.crashed_thread.stack_trace()]
    assert "__crash_kexec" in functions, functions
    assert facts.panic.function in functions[functions.index("__crash_kexec") :], functions


def every_cpu(dump: Dump, facts: Facts) -> None:
    """Each CPU that ran has one note, which is that of the task that it was running."""
    reached = facts.hello.cpus_online - len(facts.not_stopped)
    assert len(dump.cpus) == reached
    assert len(dump.prstatus) == reached
    for cpu, note in zip(dump.cpus, dump.prstatus, strict=True):
        assert note.pid == cpu.pid, cpu
        assert note.registers[PLATFORM.instruction_pointer] == cpu.instruction_pointer != 0, cpu
        assert cpu.symbol != "no symbol", cpu


def crash_report(dump: Dump, facts: Facts) -> None:
    """The stages followed each other, and the CPUs that did not stop are named."""
    report = dump.report
    stages = [report.noticed, report.stopped, report.left, report.purgatory_entered, report.checked]
    assert 0 < stages[0] and stages == sorted(stages), stages
    assert report.not_stopped == facts.not_stopped
    assert len(report.has_stopped) == facts.hello.cpus_online - len(facts.not_stopped)


def interrupts_disabled(dump: Dump, facts: Facts) -> None:
    """The last CPU is where it span with interrupts disabled, unless nothing reached it there."""
    if not facts.not_stopped:
        assert "spin" in dump.cpus[-1].functions, dump.cpus[-1]


def all_memory(dump: Dump, facts: Facts) -> None:
    """Every page of System RAM is in the file, but for what the capture kernel may use."""
    status = facts.status
    wanted = [
        piece
        for ram in facts.system_ram
        for piece in without(ram, [PLATFORM.not_in_dump, status.region, status.low_region])
    ]
    found = [range(load.physical, load.physical + load.size) for load in dump.loads]
    for piece in wanted:
        missing = [hex_range(rest) for rest in without(whole_pages(piece), found)]
        assert not missing, missing


def many_pieces(dump: Dump, facts: Facts) -> None:
    """There is a PT_LOAD for each piece of a memory that has more than 64."""
    assert len(facts.system_ram) > 64
    assert len(dump.loads) > 64


def pulled_memory_left_out(dump: Dump, facts: Facts) -> None:
    """What is not there any more is not in the dump."""
    assert facts.pulled
    for gone in facts.pulled:
        for load in dump.loads:
            assert load.physical >= gone.stop or load.physical + load.size <= gone.start, load


def crash_region_left_out(dump: Dump, facts: Facts) -> None:
    """The crash region, where the capture kernel lives, is not in the dump."""
    region = facts.status.region
    for load in dump.loads:
        assert load.physical >= region.stop or load.physical + load.size <= region.start, load


def spinning_registers(dump: Dump, facts: Facts) -> None:
    """The spinning process' registers are exactly in its CPU's note."""
    spinner = facts.spinner
    cpu, note = dump.cpus[spinner["cpu"]], dump.prstatus[spinner["cpu"]]
    expected = {name: int(value, 16) for name, value in spinner["registers"].items()}
    assert note.pid == spinner["pid"]
    if PLATFORM.timer_interrupt in cpu.functions:
        raise BadMoment("the note has the registers of the timer's interrupt")
    assert {name: note.registers[name] for name in expected} == expected
    pointer = note.registers[PLATFORM.instruction_pointer]
    assert int(spinner["rip_start"], 16) <= pointer < int(spinner["rip_end"], 16)


def at_exception_level(level: int) -> Check:
    """arm64: the kernel ran at this exception level."""

    def check(dump: Dump, facts: Facts) -> None:
        # PSTATE.M: the level, and whether the stack pointer is that level's own.
        modes = {note.registers["pstate"] & 0xF for note in dump.prstatus}
        assert modes - {0} == {level << 2 | 1}, modes

    return check


def handed_over_by_firmware(dump: Dump, facts: Facts) -> None:
    """x86_64: the capture kernel knows of UEFI, ACPI and SMBIOS what the crashed kernel knew."""
    for known in ("tables/APIC", "SMBIOS=", "runtime-map/0/virt_addr", "QEMU", r"\_SB_.PCI0"):
        assert known in facts.firmware, known
    assert facts.captured_firmware == facts.firmware


def paged_with(crashed: int, captured: int) -> Check:
    """x86_64: the two kernels paged with so many levels."""

    def check(dump: Dump, facts: Facts) -> None:
        assert int(dump.vmcoreinfo["NUMBER(pgtable_l5_enabled)"]) == crashed - 4
        assert ("la57" in facts.captured_cpu_flags) == captured - 4

    return check


def parked(dump: Dump, facts: Facts) -> None:
    """Every CPU but one still waits in the module when the capture kernel has booted."""
    modules = [dump.module(address) for address in facts.stopped_at]
    assert modules.count("rust_kexec") == facts.hello.cpus_online - 1, modules


def described_by_acpi(dump: Dump, facts: Facts) -> None:
    """The kernel took the machine's description from ACPI, not from a device tree."""
    assert not dump.program["acpi_disabled"].value_()


def pattern_pages(dump: Dump, facts: Facts) -> None:
    """Each filled page is at its physical address in the dump, byte for byte."""
    found: dict[str, int] = {}
    for page in facts.pattern["pages"]:
        address = int(page["physical"], 16)
        expected = pattern(facts.pattern["seed"], address)
        assert dump.physical(address, PAGE) == expected, page
        assert dump.program.read(address, PAGE, True) == expected, page
        found[page["class"]] = found.get(page["class"], 0) + 1
    assert found == dict.fromkeys(facts.pattern["classes"], PAGES)


def pattern(seed: int, address: int) -> bytes:
    """What `pattern` of userspace/guest fills the page at this physical address with."""
    state = seed ^ address
    words = []
    for _ in range(PAGE // 8):
        state = (state + 0x9E3779B97F4A7C15) & U64
        word = state
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & U64
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & U64
        words.append(word ^ (word >> 31))
    return struct.pack(f"<{len(words)}Q", *words)


def without(piece: range, holes: list[range]) -> list[range]:
    """What is left of a range."""
    left = [piece]
    for hole in holes:
        left = [
            rest
            for part in left
            for rest in (
                range(part.start, min(part.stop, hole.start)),
                range(max(part.start, hole.stop), part.stop),
            )
            if rest
        ] if hole else left
    return left


def whole_pages(piece: range) -> range:
    """The pages that lie wholly in a range."""
    return range(-(-piece.start // PAGE) * PAGE, piece.stop // PAGE * PAGE)


def hex_range(piece: range) -> str:
    """As /proc/iomem writes it, but half open."""
    return f"{piece.start:#x}..{piece.stop:#x}"


# What every dump must fulfil.
ALWAYS = (
    ours_alone,
    whole,
    release,
    panic_message,
    crash_time,
    crashed_stack,
    every_cpu,
    crash_report,
    all_memory,
    crash_region_left_out,
)
