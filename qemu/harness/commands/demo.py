# SPDX-License-Identifier: GPL-2.0
"""`make demo`: one crash, shown to a person."""

import asyncio
import os
import random
import sys

from harness import paths
from harness.checks.always import ALWAYS
from harness.crash.run import crash_and_save
from harness.dump.dump import Dump, text
from harness.machine.errors import GuestError, NotBooted, QemuCrashed
from harness.machine.hardware import accelerator
from harness.scenarios.demo import DEMO


def show(dump: Dump) -> None:
    """Prints what a person wants to know first about a crash."""
    thread = dump.crashed_thread
    task = thread.object
    print(f"release        {dump.release}")
    print(f"panic          {dump.panic_message}")
    print(f"crashed task   {text(task.comm)} (pid {task.pid.value_()})")
    print()
    print("its stack")
    for number, frame in enumerate(thread.stack_trace()):
        print(f"  #{number:<3} {frame.name}")
    print()
    print("CPU  instruction pointer  where                             task")
    for cpu in dump.cpus:
        print(
            f"{cpu.number:>3}  {cpu.instruction_pointer:#018x}   {cpu.symbol:<32.32}  "
            f"{cpu.command} (pid {cpu.pid})"
        )


def main() -> int:
    """Runs the demo; the exit status says whether the dump is good."""
    directory = paths.results("demo", paths.RUN)
    hardware = DEMO.hardware
    print(
        f"A guest with {hardware.cpus} CPUs and {hardware.memory_mib} MiB boots "
        f"({accelerator()}), loads a capture kernel with rkexec, and is crashed by\n"
        "`echo c > /proc/sysrq-trigger`. rust_kexec saves its registers, enters the capture\n"
        "kernel and serves /proc/vmcore there, which is copied out and opened with drgn.\n",
        flush=True,
    )
    try:
        try:
            facts = asyncio.run(crash_and_save(DEMO, directory, random.Random(0)))
        except (QemuCrashed, NotBooted) as error:
            print(f"{error}; once more.", file=sys.stderr)
            facts = asyncio.run(crash_and_save(DEMO, directory, random.Random(0)))
    except GuestError as error:
        print(error, file=sys.stderr)
        return 1
    vmlinux = directory / "vmlinux"
    vmlinux.symlink_to(paths.VMLINUX)
    vmcore = directory / "vmcore"
    with Dump(vmcore) as dump:
        show(dump)
        passed = ALWAYS + DEMO.checks
        for check in passed:
            check(dump, facts)
    print()
    print(f"The dump passed all {len(passed)} checks. To look around in it yourself:")
    shown = os.path.relpath(directory, paths.TOP)
    print(f"  build/venv/bin/drgn -c {shown}/vmcore -s {shown}/vmlinux")
    print(f"The consoles of both kernels are {shown}/production.log and {shown}/capture.log.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
