# SPDX-License-Identifier: GPL-2.0
"""crash(8) shows for every CPU what it was doing: its registers, and the stack from there on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from harness import paths
from harness.checks.always import ALWAYS
from harness.crash.run import saved_dump
from harness.crash.scenario import Facts, Scenario
from harness.dump import tools
from harness.dump.dump import Dump
from harness.dump.notes import Prstatus
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.cpus import one_busy_in_user_space_one_in_the_kernel

pytestmark = pytest.mark.skipif(
    bool(tools.crash_does_not_know()), reason=tools.crash_does_not_know()
)

BUSY = Scenario(
    name="backtraces",
    # The first CPU panics, and the second one has nothing to do.
    hardware=Hardware(cpus=4, memory_mib=640),
    command_line="crashkernel=192M",
    before=(one_busy_in_user_space_one_in_the_kernel,),
)

# A CPU's part of `bt -a`.
CPU = re.compile(
    r"^PID: (?P<pid>\d+) +TASK: (?P<task>[0-9a-f]+) +CPU: (?P<cpu>\d+) .*\n"
    r"(?P<text>(?:(?!PID:).*\n)*)",
    re.MULTILINE,
)
FRAME = re.compile(
    r"^ *#\d+ \[[0-9a-f]+\] (?P<function>\S+) at (?P<address>[0-9a-f]+)", re.MULTILINE
)
# A CPU that was called is where it was interrupted; what lies above on its stack is the call.
INTERRUPTED = {
    "x86_64": re.compile(r"--- <NMI exception stack> ---\n"),
    "arm64": re.compile(r"^"),
}[paths.ARCH]
# On arm64 crash 9.0.2 takes the stack of a CPU in user space for one of the kernel's.
USER_STACK = re.compile(r"^bt: invalid kernel virtual address: .* \"extra_stacks_regs\..*\n", re.M)
REGISTER = re.compile(r"\b(?P<name>[A-Z]+|X\d+): *(?P<value>[0-9a-f]{16})\b")


@dataclass(frozen=True)
class Backtrace:
    """The backtrace of one CPU, by crash."""

    cpu: int
    pid: int
    task: int
    text: str

    @property
    def functions(self) -> list[str]:
        """All functions, the innermost first."""
        return [frame["function"] for frame in FRAME.finditer(self.text)]

    @property
    def first(self) -> int:
        """The address in the kernel at which the CPU was interrupted."""
        [*_, interrupted] = INTERRUPTED.split(self.text, maxsplit=1)
        frame = FRAME.search(interrupted)
        assert frame is not None, self.text
        return int(frame["address"], 16)

    @property
    def registers(self) -> dict[str, int]:
        """The innermost registers that are shown."""
        found: dict[str, int] = {}
        for match in REGISTER.finditer(self.text):
            found.setdefault(match["name"].lower(), int(match["value"], 16))
        return found


def backtraces(text: str) -> list[Backtrace]:
    """The backtrace of each CPU."""
    return [
        Backtrace(int(match["cpu"]), int(match["pid"]), int(match["task"], 16), match["text"])
        for match in CPU.finditer(text)
    ]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dump, Facts]]:
    """A dump for all tests here."""
    with saved_dump(BUSY, tmp_path_factory.mktemp("backtraces")) as saved:
        yield saved


def test_backtraces(saved: tuple[Dump, Facts]) -> None:
    dump, facts = saved
    for check in ALWAYS:
        check(dump, facts)
    text = tools.crash(dump.path, "bt -a")
    found = backtraces(text)
    assert [trace.cpu for trace in found] == list(range(facts.hello.cpus_online)), text
    panicked, *others = found
    # The trigger is on the stack, and nothing that ran before it.
    assert "sysrq_handle_crash" in panicked.functions, panicked.text
    # On arm64 crash follows frame pointers, and where a function has just been entered, as
    # `__crash_kexec` has here, its caller's is not on the stack yet.
    if paths.ARCH == "x86_64":
        assert panicked.functions.index("panic") < panicked.functions.index("sysrq_handle_crash")
    for trace in others:
        shows_its_note(trace, dump.prstatus[trace.cpu])
    idle, in_user_space, in_the_kernel = others
    assert idle.pid == 0
    assert any("idle" in function for function in idle.functions), idle.text
    assert in_user_space.pid == facts.spinner["pid"]
    assert in_the_kernel.pid not in (0, in_user_space.pid)


def shows_its_note(trace: Backtrace, note: Prstatus) -> None:
    """The registers are those of the CPU's note, and the stack starts where it was."""
    assert trace.pid == note.pid
    pointer = note.registers[PLATFORM.instruction_pointer]
    in_user_space = pointer < 1 << 63
    if in_user_space or paths.ARCH == "x86_64":
        shown = trace.registers
        common = shown.keys() & note.registers.keys()
        assert PLATFORM.instruction_pointer in common, trace.text
        for name in common:
            assert shown[name] == note.registers[name], (name, trace.text)
    if not in_user_space:
        # On arm64 crash shows the instruction before, as for a call.
        places = {"x86_64": (pointer,), "arm64": (pointer, pointer - 4)}[paths.ARCH]
        assert trace.first in places, trace.text


def test_commands(saved: tuple[Dump, Facts]) -> None:
    """Other common commands run without a complaint, and know the same tasks."""
    dump, _ = saved
    text = tools.crash(dump.path, "foreach bt", "runq", "mach -c", "ps -A", "bt -r")
    complaints = USER_STACK.sub("", text)
    assert not re.search(r"(?i)invalid|cannot|error:|seek error", complaints), text
    active = re.findall(r"^> +(\d+) +\d+ +(\d+) ", text, re.MULTILINE)
    running = re.findall(r"^CPU (\d+) RUNQUEUE: .*\n +CURRENT: PID: (\d+) ", text, re.MULTILINE)
    expected = [(cpu.number, cpu.pid) for cpu in dump.cpus]
    assert sorted((int(cpu), int(pid)) for pid, cpu in active) == expected
    assert [(int(cpu), int(pid)) for cpu, pid in running] == expected
    assert "Kernel panic - not syncing: sysrq triggered crash" in tools.crash(dump.path, "log")
