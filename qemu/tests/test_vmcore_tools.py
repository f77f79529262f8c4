# SPDX-License-Identifier: GPL-2.0
"""One dump, opened by every tool: each finds the release, the panic message and all CPUs."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from harness.checks.always import ALWAYS
from harness.crash.run import saved_dump
from harness.crash.scenario import Facts, Scenario
from harness.dump import tools
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.testing import needs_rkdump

CPUS = 4
AFTER_CLEARING = "the log was cleared before this"


async def clear_the_log(guest: Guest) -> None:
    """Leaves what was logged so far to tools that are asked for all of it."""
    await guest.shell(f"dmesg -c > /dev/null; echo {AFTER_CLEARING} > /dev/kmsg")


TOOLED = Scenario(
    name="tools",
    hardware=Hardware(cpus=CPUS, memory_mib=640),
    command_line="crashkernel=192M",
    prepare=(clear_the_log,),
)
PANIC = "Kernel panic - not syncing: sysrq triggered crash"

# makedumpfile's dump levels: nothing filtered, and all that can be.
SOME_LEVELS = (0, 31)
EVERY_LEVEL = range(32)
FORMATS = {"ELF": "-E", "compressed": "-c"}


def needs(*names: str) -> pytest.MarkDecorator:
    """A test that is skipped without these tools."""
    return pytest.mark.skipif(
        not tools.available(*names),
        reason=f"{', '.join(names)}: not unpacked (make tools does), or not for this dump",
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dump, Facts]]:
    """A dump for all tests here."""
    with saved_dump(TOOLED, tmp_path_factory.mktemp("tools")) as saved:
        yield saved


def test_drgn(saved: tuple[Dump, Facts]) -> None:
    for check in ALWAYS:
        check(*saved)


@needs("gdb")
def test_gdb(saved: tuple[Dump, Facts]) -> None:
    dump, facts = saved
    # gdb itself knows nothing of KASLR, and reads memory by its virtual addresses.
    offset = int(dump.vmcoreinfo["KERNELOFFSET"], 16)
    text = tools.gdb(
        dump.path,
        offset,
        "set max-value-size unlimited",
        "set print elements 0",
        "print init_uts_ns.name.release",
        "print __log_buf",
        "info threads",
    )
    assert f'"{facts.hello.release}"' in text
    assert PANIC in text
    assert len(re.findall(r"^[* ] +\d+ +", text.split(PANIC)[-1], re.MULTILINE)) == CPUS


@needs("crash")
@pytest.mark.skipif(bool(tools.crash_does_not_know()), reason=tools.crash_does_not_know())
def test_crash(saved: tuple[Dump, Facts]) -> None:
    dump, facts = saved
    text = tools.crash(dump.path, "sys", "bt -a")
    expected = (
        rf"RELEASE: {re.escape(facts.hello.release)}$",
        rf"CPUS: {CPUS}$",
        rf'PANIC: "{PANIC}"',
        *(rf"^PID: .* CPU: {cpu} " for cpu in range(CPUS)),
        r"sysrq_handle_crash",
    )
    assert tools.words(text, expected) == [], text


@needs("makedumpfile", "vmcore-dmesg")
def test_dmesg(saved: tuple[Dump, Facts], tmp_path: Path) -> None:
    dump, facts = saved
    for text in (
        tools.run("vmcore-dmesg", dump.path),
        tools.makedumpfile_dmesg(dump.path, tmp_path / "dmesg"),
    ):
        assert f"Linux version {facts.hello.release} " in text
        assert PANIC in text
        assert f"smp: Brought up 1 node, {CPUS} CPUs" in text


@needs("makedumpfile")
@needs_rkdump
@pytest.mark.parametrize("options", [(), ("--partial-dmesg",)], ids=["all", "since-cleared"])
def test_dmesg_as_makedumpfile(
    saved: tuple[Dump, Facts], tmp_path: Path, options: tuple[str, ...]
) -> None:
    """The same text, of the whole log and of what was logged since it was cleared."""
    dump, _ = saved
    theirs = tools.makedumpfile_dmesg(dump.path, tmp_path / "theirs", *options)
    assert ("Linux version" in theirs) == (not options)
    assert AFTER_CLEARING in theirs and PANIC in theirs
    out = tmp_path / "ours"
    tools.rkdump("makedumpfile", "--dump-dmesg", *options, dump.path, out)
    assert out.read_text() == theirs


@needs("makedumpfile")
@pytest.mark.parametrize("form", FORMATS)
def test_makedumpfile_by_content(saved: tuple[Dump, Facts], tmp_path: Path, form: str) -> None:
    """Levels that keep everything, and everything but the pages of zeros."""
    sizes = filtered_sizes(saved, tmp_path / "filtered", form, levels=(0, 1))
    assert sizes[1] < sizes[0]


@needs("makedumpfile")
@pytest.mark.parametrize("form", FORMATS)
def test_report(saved: tuple[Dump, Facts], tmp_path: Path, form: str) -> None:
    """The crash report is in makedumpfile's files as it is in the dump."""
    dump, _ = saved
    report = tools.report(dump.path)
    assert len(json.loads(report)["cpus"]) == CPUS
    filtered = tmp_path / "filtered"
    tools.makedumpfile(dump.path, filtered, FORMATS[form], "-d", "1")
    assert tools.report(filtered) == report


@needs("makedumpfile")
@pytest.mark.parametrize("form", FORMATS)
def test_makedumpfile_by_use(
    saved: tuple[Dump, Facts], tmp_path: Path, form: str, pytestconfig: pytest.Config
) -> None:
    """Levels that leave pages out by what the kernel uses them for."""
    dump, _ = saved
    if reason := tools.makedumpfile_does_not_know(dump.vmcoreinfo):
        pytest.skip(reason)
    levels = EVERY_LEVEL if pytestconfig.getoption("every_level") else SOME_LEVELS
    sizes = filtered_sizes(saved, tmp_path / "filtered", form, levels)
    print(sizes)
    assert sizes[31] < sizes[0]


def filtered_sizes(
    saved: tuple[Dump, Facts], out: Path, form: str, levels: Iterable[int]
) -> dict[int, int]:
    """The size on disk of each level's file, which must still tell the crashed task and place."""
    dump, facts = saved
    sizes = {}
    for level in levels:
        tools.makedumpfile(dump.path, out, FORMATS[form], "-d", str(level))
        # Sparse, so what counts is what it takes.
        sizes[level] = out.stat().st_blocks
        with Dump(out) as filtered:
            assert filtered.release == facts.hello.release, level
            assert f"Kernel panic - not syncing: {filtered.panic_message}" == PANIC, level
            # The notes that tell which CPUs have stopped are there in ELF only.
            cpus = [filtered.cpu(number) for number in dump.report.has_stopped]
            found = [(cpu.number, cpu.pid, cpu.instruction_pointer) for cpu in cpus]
            assert found == [(cpu.number, cpu.pid, cpu.instruction_pointer) for cpu in dump.cpus], (
                level
            )
    return sizes
