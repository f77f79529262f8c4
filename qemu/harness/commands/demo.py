# SPDX-License-Identifier: GPL-2.0
"""`make demo`: one crash, shown to a person, and a verdict of the kernel.

The exit status is 0 if the kernel leaves a good dump, 1 if it does not, and 125, which
`git bisect run` skips, if QEMU itself failed.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from harness import paths
from harness.crash.scenario import Facts
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.machine.errors import QemuCrashed
from harness.machine.hardware import accelerator
from harness.scenarios.demo import DEMO
from harness.verdict import saver
from harness.verdict.run import COPYING, Refused, crash_and_save, judge_dump
from harness.verdict.saver import Saved
from harness.verdict.shown import Progress, as_json, show, show_saved
from harness.verdict.verdict import Verdict

BAD = 1
NOT_JUDGED = 125


def judge(directory: Path) -> dict[str, object]:
    """Runs the demo, says what happens, and returns all of it."""
    progress = Progress()
    saved: list[Saved | str] = []

    async def save_what_is_wanted(guest: Guest, _: Facts) -> None:
        progress.tell("rkdump saves what somebody would look at")
        saved[:] = [await saver.save(guest)]

    scenario = replace(DEMO, captured=(save_what_is_wanted,))
    try:
        try:
            facts = asyncio.run(crash_and_save(scenario, directory, progress.tell))
        except QemuCrashed as error:
            print(f"{error}; once more.", file=sys.stderr)
            facts = asyncio.run(crash_and_save(scenario, directory, progress.tell))
    except Refused as refused:
        say(refused.verdict, directory)
        return as_json(refused.verdict, progress, None)
    vmlinux = directory / "vmlinux"
    vmlinux.symlink_to(paths.VMLINUX)
    progress.tell("the dump is saved; drgn opens it")
    with Dump(directory / "vmcore") as dump:
        verdict = judge_dump(dump, facts, DEMO)
        progress.tell("it was checked")
        if verdict.good:
            show(dump)
            show_saved(dump, progress.seconds(COPYING), *saved)
        say(verdict, directory)
        return as_json(verdict, progress, dump if verdict.good else None, *saved)


def say(verdict: Verdict, directory: Path) -> None:
    """Prints a verdict, and where to look next."""
    shown = os.path.relpath(directory, paths.TOP)
    print(f"\n{'GOOD' if verdict.good else 'BAD'}: {verdict.sentence}")
    for line in verdict.details:
        print(f"  {line}")
    if (directory / "vmcore").exists():
        print("To look around in the dump:")
        print(f"  build/venv/bin/drgn -c {shown}/vmcore -s {shown}/vmlinux")
    print(f"The consoles of both kernels are {shown}/production.log and {shown}/capture.log.")


def main() -> int:
    """Runs the demo; the exit status says whether the dump is good."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON, and the rest to stderr")
    parser.add_argument("--file", type=Path, help="write the JSON to this file as well")
    asked = parser.parse_args()
    directory = paths.results("demo", paths.RUN)
    hardware = DEMO.hardware
    try:
        with redirect_stdout(sys.stderr if asked.json else sys.stdout):
            print(
                f"A guest with {hardware.cpus} CPUs and {hardware.memory_mib} MiB boots "
                f"({accelerator()}), loads a capture kernel with rkexec, and is crashed\n"
                "by `echo c > /proc/sysrq-trigger`. rust_kexec saves its registers, enters the\n"
                "capture kernel and serves /proc/vmcore there, which rkdump saves, and which is\n"
                "copied out as a whole and opened with drgn.\n",
                flush=True,
            )
            found = judge(directory)
    except QemuCrashed as error:
        print(error, file=sys.stderr)
        return NOT_JUDGED
    said = json.dumps(found, indent=2) + "\n"
    for file in (directory / "verdict.json", asked.file):
        if file is not None:
            file.write_text(said)
    if asked.json:
        print(said, end="")
    return 0 if found["verdict"] == "good" else BAD


if __name__ == "__main__":
    sys.exit(main())
