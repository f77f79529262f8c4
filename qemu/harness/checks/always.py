# SPDX-License-Identifier: GPL-2.0
"""Checks that every dump must pass."""

from harness import paths
from harness.checks.ranges import hex_range, whole_pages, without
from harness.crash.scenario import Facts
from harness.dump.dump import Dump
from harness.machine.platform import PLATFORM


def ours_alone(dump: Dump, facts: Facts) -> None:
    """The kernel's own kexec had nothing loaded when the guest crashed."""
    assert not dump.program["kexec_crash_image"]


def known_as_loaded(dump: Dump, facts: Facts) -> None:
    """The kernel itself said that a crash image was loaded, in sysfs and in the oops."""
    assert facts.crash_image_is_loaded
    banners = [line for line in dump.kernel_log if "Comm: " in line and " PID: " in line]
    # panic() prints one if the kernel was built to tell much of bugs.
    assert banners or not paths.has(paths.TARGET, "DEBUG_BUGVERBOSE")
    assert all("Kdump: loaded" in line for line in banners), banners


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
    stages = [
        report.noticed,
        report.stopped,
        report.purgatory_checked,
        report.silenced,
        report.left,
        report.purgatory_entered,
        report.checked,
        report.kernel_entered,
    ]
    assert 0 < stages[0] and stages == sorted(stages), stages
    assert report.not_stopped == facts.not_stopped
    assert len(report.has_stopped) == facts.hello.cpus_online - len(facts.not_stopped)
    means = [report.means(cpu) for cpu in report.has_stopped]
    assert means.count(report.CRASHED) == 1 and 0 not in means, means
    for cpu, note in zip(dump.cpus, dump.prstatus, strict=True):
        # The kernel tells nothing of the CPUs that it stops.
        if report.means(cpu.number) != report.KERNEL:
            circumstances = report.circumstances[cpu.number]
            assert (circumstances & report.IDLE != 0) == (cpu.pid == 0), cpu
            # The kernel may have jumped to an address of user space.
            user_mode = PLATFORM.user_mode(note.registers)
            assert (circumstances & report.USER != 0) == user_mode, cpu


def all_memory(dump: Dump, facts: Facts) -> None:
    """Every page of System RAM is in the file, except for those that the capture kernel may use."""
    status = facts.status
    wanted = [
        piece
        for ram in facts.system_ram
        for piece in without(ram, [PLATFORM.not_in_dump, *status.usable])
    ]
    found = [range(load.physical, load.physical + load.size) for load in dump.loads]
    for piece in wanted:
        missing = [hex_range(rest) for rest in without(whole_pages(piece), found)]
        assert not missing, missing


def crash_region_left_out(dump: Dump, facts: Facts) -> None:
    """The memory that the capture kernel may use is not in the dump."""
    for region in facts.status.usable:
        for load in dump.loads:
            assert load.physical >= region.stop or load.physical + load.size <= region.start, load


ALWAYS = (
    ours_alone,
    known_as_loaded,
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
