# SPDX-License-Identifier: GPL-2.0
"""Checks of dumps whose crash no hook in `__crash_kexec` has noticed."""

from harness.checks.always import ALWAYS, crashed_stack, known_as_loaded, ours_alone
from harness.crash.scenario import Check, Facts
from harness.dump.dump import Dump


def trigger_on_the_stack(dump: Dump, facts: Facts) -> None:
    """The thread that panicked is known, and its stack has the trigger."""
    functions = [frame.name for frame in dump.crashed_thread.stack_trace()]
    assert facts.panic.function in functions, functions


def at(function: str) -> Check:
    """The registers of the CPU that panicked are those of the oops, in this function."""

    def check(dump: Dump, facts: Facts) -> None:
        cpu = dump.cpu(dump.program["panic_cpu"].counter.value_())
        assert cpu.symbol.partition("+")[0] == function, cpu

    return check


def stopped_by_the_kernel(dump: Dump, facts: Facts) -> None:
    """Each of the other CPUs was stopped by the kernel, which has kept its registers."""
    report = dump.report
    means = sorted(report.means(cpu) for cpu in report.has_stopped)
    assert means == [report.CRASHED] + [report.KERNEL] * (facts.hello.cpus_online - 1), means


# The kernel does not know of the image, and panic() does not come past a hook on its way to us.
EXPORTED = (
    *(check for check in ALWAYS if check not in (known_as_loaded, crashed_stack)),
    trigger_on_the_stack,
)

# The kernel has no image of its own, no word for ours, and no `__crash_kexec` to come past.
WITHOUT_CRASH_DUMP = tuple(check for check in EXPORTED if check is not ours_alone)
