# SPDX-License-Identifier: GPL-2.0
"""Where a crash stopped that did not come to its capture kernel's agent."""

from harness.dump.notes import Report
from harness.guest.guest import FIRST_LINE, FIRST_PROCESS
from harness.machine.console import Console
from harness.verdict.remains import Remains
from harness.verdict.verdict import Stage, Verdict

PANIC = "Kernel panic - not syncing: "
OURS = "rust_kexec: "
PURGATORY = "rust_kexec purgatory: "

# How much of a console is shown.
LINES = 12


def last_lines(text: str) -> tuple[str, ...]:
    """The end of a console."""
    return tuple(text.splitlines()[-LINES:])


def judge(remains: Remains, console: Console, crash_line: int) -> Verdict:
    """The stage at which a crash stopped, by what is in memory.

    From the purgatory on the console tells, which is all that it and an early kernel have.
    """
    report = remains.report
    if report is None or not report.noticed:
        return _before_the_crash_path(remains)
    if not report.left:
        return _in_the_crash_path(remains, report)
    said = console.text(crash_line)
    if not report.kernel_entered:
        return _in_the_purgatory(said)
    first = console.find(FIRST_LINE, crash_line)
    return capture_kernel(console.text(first) if first is not None else "")


def _before_the_crash_path(remains: Remains) -> Verdict:
    """The kernel did not come to the function that we take over."""
    cpu = remains.panicked
    if cpu is None:
        return Verdict(
            Stage.PANIC,
            "The kernel did not panic: what was to crash it did not. Its log ends as follows.",
            tuple(remains.log[-LINES:]),
        )
    stack = remains.stack(cpu)
    return Verdict(
        Stage.PANIC,
        f"panic() runs on CPU {cpu}, and has not come to __crash_kexec(), where the crash path "
        f"begins: that CPU is in {stack[0]}(). What runs before it has to return.",
        tuple(stack),
    )


def _in_the_crash_path(remains: Remains, report: Report) -> Verdict:
    """The crash path began and did not jump."""
    if not report.stopped:
        cpu = remains.panicked
        return Verdict(
            Stage.STOP,
            "The crash path began, and still waits for other CPUs to stop.",
            tuple(remains.stack(cpu)) if cpu is not None else (),
        )
    start = max((i for i, line in enumerate(remains.log) if line.startswith(PANIC)), default=0)
    ours = [line for line in remains.log[start:] if line.startswith(OURS)]
    return Verdict(
        Stage.JUMP,
        "The crash path stopped the other CPUs, and gave the crash up before the jump into the "
        "purgatory. Its last words are below.",
        tuple(ours[-LINES:]),
    )


def _in_the_purgatory(said: str) -> Verdict:
    """The purgatory has not gone on to the kernel."""
    ours = tuple(line for line in said.splitlines() if line.startswith(PURGATORY))
    if ours:
        return Verdict(
            Stage.PURGATORY,
            "The purgatory found that the capture kernel's memory was overwritten after the load, "
            "and does not enter it. Something has written to the crash region.",
            ours,
        )
    return Verdict(
        Stage.PURGATORY,
        "The crash path jumped into the purgatory, which has neither entered the capture kernel "
        "nor said why: the CPU stopped on the way, or the purgatory's serial port is another one.",
    )


def capture_kernel(said: str) -> Verdict:
    """A capture kernel that was entered, and has said this."""
    lines = said.splitlines()
    panics = [line.partition(PANIC)[2] for line in lines if PANIC in line]
    why = f'It panicked: "{panics[0]}".' if panics else "It has said nothing more."
    if not lines:
        return Verdict(
            Stage.CAPTURE_BOOT,
            "The capture kernel was entered, and has not printed a line: its early console may be "
            "another one, or its memory too small.",
        )
    if not any(FIRST_PROCESS in line for line in lines):
        return Verdict(
            Stage.CAPTURE_BOOT,
            f"The capture kernel boots, and does not start the first process of its initrd. {why}",
            last_lines(said),
        )
    return Verdict(
        Stage.CAPTURE_INIT,
        "The capture kernel has started the first process of its initrd, which does not come to "
        f"save the dump. {why}",
        last_lines(said),
    )
