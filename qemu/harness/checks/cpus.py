# SPDX-License-Identifier: GPL-2.0
"""Checks of what CPUs did when the kernel crashed."""

from harness import paths
from harness.crash.scenario import BadMoment, Check, Facts
from harness.dump.dump import Dump
from harness.machine.platform import PLATFORM


def interrupts_disabled(dump: Dump, facts: Facts) -> None:
    """The last CPU is where it span with interrupts disabled, unless nothing reached it there."""
    if not facts.not_stopped:
        assert "spin" in dump.cpus[-1].functions, dump.cpus[-1]


# Registers to which qemu/guest/irqs_off gives known values, and "spin".
KNOWN = {"x86_64": ("r12", "r13", "r14", "r15"), "arm64": ("x19", "x20", "x21", "x22")}[paths.ARCH]
SPIN = 0x7370696E << 32


def spin_with_known_registers(cpus: range) -> Check:
    """These CPUs span with interrupts disabled; the values of that loop are in their registers."""

    def check(dump: Dump, facts: Facts) -> None:
        for cpu in cpus:
            expected = {name: SPIN | cpu << 8 | 1 + index for index, name in enumerate(KNOWN)}
            assert {name: dump.registers_in("spin", cpu)[name] for name in KNOWN} == expected, cpu
            # The note of the one that crashed tells of its crash, and its stack of the loop.
            if dump.report.means(cpu) == dump.report.CRASHED:
                continue
            registers = dump.prstatus[cpu].registers
            assert {name: registers[name] for name in KNOWN} == expected, cpu
            assert dump.cpu(cpu).symbol.startswith("spin+"), cpu

    return check


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


def paged_with(crashed: int, captured: int) -> Check:
    """x86_64: the two kernels paged with so many levels."""

    def check(dump: Dump, facts: Facts) -> None:
        assert int(dump.vmcoreinfo["NUMBER(pgtable_l5_enabled)"]) == crashed - 4
        assert ("la57" in facts.captured_cpu_flags) == captured - 4

    return check


def decompressed(when: str) -> Check:
    """x86_64: the kernel in the bzImage was decompressed then."""

    def check(dump: Dump, facts: Facts) -> None:
        decompression = facts.status.decompression
        assert decompression is not None
        assert decompression.when == when, decompression

    return check


def parked(dump: Dump, facts: Facts) -> None:
    """Every CPU but one still waits in the module when the capture kernel has booted."""
    modules = [dump.module(address) for address in facts.stopped_at]
    assert modules.count("rust_kexec") == facts.hello.cpus_online - 1, modules
