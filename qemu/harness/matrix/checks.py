# SPDX-License-Identifier: GPL-2.0
"""What is checked of every row's dump, each check with its words for docs/crash-matrix.md."""

import functools
import re
from collections.abc import Callable
from typing import ParamSpec

from drgn.helpers.linux.pid import for_each_task

from harness.checks import always
from harness.checks.memory import pattern_pages
from harness.crash.scenario import Check, Facts
from harness.dump.dump import Dump, text
from harness.machine.platform import PLATFORM
from harness.matrix.row import Row
from harness.matrix.trigger import Where


def checks_of(row: Row) -> list[Check]:
    """All checks of a row's dump, in order."""
    valid = [
        always.ours_alone,
        always.whole,
        always.release,
        always.crash_time,
        always.crash_report,
        always.all_memory,
        always.crash_region_left_out,
    ]
    return [
        *valid,
        says(row),
        panicking_cpu(row),
        stack(row),
        registers(row),
        one_dump,
        *([pattern_pages] * row.canaries),
        *row.checks,
    ]


P = ParamSpec("P")


def worded(factory: Callable[P, Check]) -> Callable[P, Check]:
    """Gives the checks that a function makes its own words."""

    @functools.wraps(factory)
    def make(*arguments: P.args, **keywords: P.kwargs) -> Check:
        check = factory(*arguments, **keywords)
        check.__doc__ = factory.__doc__
        return check

    return make


def panic_cpu(dump: Dump) -> int:
    """The CPU that panicked."""
    cpu: int = dump.program["panic_cpu"].counter.value_()
    return cpu


@worded
def says(row: Row) -> Check:
    """The panic's line, or the oops's, is in the log of the dump."""

    def check(dump: Dump, facts: Facts) -> None:
        wanted = re.compile(row.trigger.says)
        assert [line for line in dump.kernel_log if wanted.search(line)], dump.kernel_log[-40:]

    return check


@worded
def panicking_cpu(row: Row) -> Check:
    """The kernel's, the report's and drgn's word for who panicked is the same, and right."""

    def check(dump: Dump, facts: Facts) -> None:
        cpu = panic_cpu(dump)
        # Of CPUs that panic at once the winner need not be the first whose registers are saved.
        if row.trigger.where != Where.ANYWHERE:
            assert dump.report.means(cpu) == dump.report.CRASHED
        thread = dump.crashed_thread.object
        found = dump.cpu(cpu)
        assert thread.pid.value_() == found.pid
        assert re.fullmatch(row.trigger.task, found.command), found
        match row.trigger.where:
            case Where.HERE:
                assert cpu == row.trigger_cpu
            case Where.ELSEWHERE:
                assert cpu != row.trigger_cpu

    return check


def on_stack(functions: tuple[str, ...], pattern: str) -> bool:
    """Whether a function of this name is on a stack."""
    return any(re.fullmatch(pattern, name) for name in functions)


@worded
def stack(row: Row) -> Check:
    """The trigger's functions are on the stack of the CPU that panicked, or of the one stuck."""

    def check(dump: Dump, facts: Facts) -> None:
        trigger = row.trigger
        found = dump.cpu(panic_cpu(dump))
        if not trigger.outside:
            for pattern in trigger.functions:
                assert on_stack(found.functions, pattern), (pattern, found)
        if trigger.stuck and row.trigger_cpu not in facts.not_stopped:
            stuck = dump.cpu(row.trigger_cpu)
            assert on_stack(stuck.functions, trigger.stuck), stuck

    return check


@worded
def registers(row: Row) -> Check:
    """Each CPU has a note of the task that it ran, or is named; an oops's has where it faulted."""

    def check(dump: Dump, facts: Facts) -> None:
        reached = facts.hello.cpus_online - len(facts.not_stopped)
        assert len(dump.cpus) == len(dump.prstatus) == reached
        trigger, panicked = row.trigger, panic_cpu(dump)
        for cpu, note in zip(dump.cpus, dump.prstatus, strict=True):
            assert note.pid == cpu.pid, cpu
            pointer = note.registers[PLATFORM.instruction_pointer]
            assert pointer == cpu.instruction_pointer, cpu
            if cpu.number != panicked or not trigger.outside:
                assert cpu.symbol != "no symbol", cpu
        if trigger.at or trigger.outside:
            symbol = dump.cpu(panicked).symbol.partition("+")[0]
            wanted = trigger.at or "no symbol|in user space"
            assert re.fullmatch(wanted, symbol), dump.cpu(panicked)

    return check


def one_dump(dump: Dump, facts: Facts) -> None:
    """The capture kernel came up once."""
    log = dump.path.with_name("capture.log").read_text(errors="replace")
    assert len(re.findall(r"\] Linux version ", log)) == 1


@worded
def sleeper(command: str, *functions: str) -> Check:
    """A task that does not run has these functions on its stack."""

    def check(dump: Dump, facts: Facts) -> None:
        tasks = [task for task in for_each_task(dump.program) if text(task.comm) == command]
        stacks = [
            tuple(frame.name for frame in dump.program.stack_trace(task))
            for task in tasks
            # One that runs is another of that name.
            if task.on_cpu.value_() == 0
        ]
        assert any(all(on_stack(names, pattern) for pattern in functions) for names in stacks), (
            command,
            stacks,
        )

    return check


@worded
def cpu_at(cpu: int, function: str) -> Check:
    """A CPU was in this function."""

    def check(dump: Dump, facts: Facts) -> None:
        if cpu not in facts.not_stopped:
            assert on_stack(dump.cpu(cpu).functions, function), dump.cpu(cpu)

    return check


@worded
def logged(pattern: str) -> Check:
    """The log of the dump has such a line."""

    def check(dump: Dump, facts: Facts) -> None:
        wanted = re.compile(pattern)
        assert [line for line in dump.kernel_log if wanted.search(line)], pattern

    return check
