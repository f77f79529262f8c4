# SPDX-License-Identifier: GPL-2.0
"""One implementation loads, the other one reads, as where only one kernel has the module."""

from pathlib import Path
from random import Random

from harness.checks.always import ALWAYS, crash_report, every_cpu, ours_alone
from harness.crash.scenario import Facts, Scenario
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.guest.kernel import complaints
from harness.guest.vmcore import HAS_BOTH, OURS, THEIRS
from harness.machine.platform import PLATFORM
from harness.testing import crash_and_check, needs, needs_both_files


def every_note(dump: Dump, facts: Facts) -> None:
    """Each CPU's note is there. The kernel's own crash path takes CPUs offline on arm64."""
    assert len(dump.prstatus) == facts.hello.cpus_online
    for cpu in dump.cpus:
        note = dump.prstatus[cpu.number]
        assert note.pid == cpu.pid, cpu
        assert note.registers[PLATFORM.instruction_pointer] == cpu.instruction_pointer != 0, cpu


def loaded_by_the_kernels_own(dump: Dump, facts: Facts) -> None:
    """The kernel's own kexec had an image when the guest crashed."""
    assert dump.program["kexec_crash_image"]


# It leaves no report of ours either.
KERNELS_OWN = (
    loaded_by_the_kernels_own,
    every_note,
    *(check for check in ALWAYS if check not in (ours_alone, crash_report, every_cpu)),
)


async def load_by_the_kernels_own(guest: Guest, facts: Facts) -> None:
    """kexec_file_load(2) takes the region over."""
    await guest.shell("rkexec -p -u; rmmod rust_kexec")
    await guest.load_by_the_kernels_own()


async def read_by_us(guest: Guest, facts: Facts) -> None:
    """Makes our file the one that is saved, also where the kernel's own has that name."""
    assert await complaints(guest) == []
    if HAS_BOTH:
        await guest.shell(f"mount --bind {OURS} {THEIRS}")


LOADED_BY_THE_KERNELS_OWN = Scenario(
    name="loaded-by-the-kernels-own",
    before=(load_by_the_kernels_own,),
    captured=(read_by_us,),
)


@needs("KEXEC_FILE")
async def test_loaded_by_the_kernels_own(directory: Path, random: Random) -> None:
    await crash_and_check(LOADED_BY_THE_KERNELS_OWN, directory, random, always=KERNELS_OWN)


@needs_both_files
async def test_read_by_the_kernels_own(directory: Path, random: Random) -> None:
    await crash_and_check(Scenario(name="mixed"), directory, random)
