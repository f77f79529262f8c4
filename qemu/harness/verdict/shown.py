# SPDX-License-Identifier: GPL-2.0
"""A verdict and a dump, for people and for programs."""

import time
from typing import Any

from harness.dump.dump import Dump, text
from harness.dump.notes import Report
from harness.units import MIB
from harness.verdict.saver import Saved
from harness.verdict.verdict import Verdict

# What the crash path notes, in its order.
MOMENTS = {
    "noticed": "the crash path begins",
    "stopped": "the other CPUs have stopped",
    "purgatory_checked": "the purgatory's own digest is right",
    "silenced": "interrupts are silenced",
    "left": "jump to the purgatory",
    "purgatory_entered": "the purgatory runs",
    "checked": "the digests of all segments are right",
    "kernel_entered": "the capture kernel is entered",
}


class Progress:
    """Says how far a run is, with the seconds since it began."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.lines: list[tuple[float, str]] = []

    def tell(self, what: str) -> None:
        """A stage begins."""
        seconds = time.monotonic() - self._started
        self.lines.append((seconds, what))
        print(f"{seconds:>6.1f} s  {what}", flush=True)

    def seconds(self, what: str) -> float:
        """How long a stage took."""
        times = [seconds for seconds, _ in self.lines]
        begins = [said for _, said in self.lines].index(what)
        return times[begins + 1] - times[begins]


def crash_times(report: Report) -> dict[str, float]:
    """The milliseconds at which each stage of the crash was reached."""
    return {
        what: 1000 * report.seconds(report.noticed, getattr(report, field))
        for field, what in MOMENTS.items()
    }


def show(dump: Dump) -> None:
    """Prints what a person wants to know first about a crash."""
    print("\nThe crash itself")
    for what, milliseconds in crash_times(dump.report).items():
        print(f"{milliseconds:>9.3f} ms  {what}")
    thread = dump.crashed_thread
    task = thread.object
    print(f"\nrelease        {dump.release}")
    print(f"panic          {dump.panic_message}")
    print(f"crashed task   {text(task.comm)} (pid {task.pid.value_()})")
    print("\nits stack")
    for number, frame in enumerate(thread.stack_trace()):
        print(f"  #{number:<3} {frame.name}")
    print("\nCPU  instruction pointer  where                             task")
    for cpu in dump.cpus:
        print(
            f"{cpu.number:>3}  {cpu.instruction_pointer:#018x}   {cpu.symbol:<32.32}  "
            f"{cpu.command} (pid {cpu.pid})"
        )


def show_saved(dump: Dump, copying_s: float, saved: Saved | str) -> None:
    """Prints what rkdump has made of a dump, and whether it says the same."""
    if isinstance(saved, str):
        print(f"\nrkdump could not save it: {saved}")
        return
    whole = dump.path.stat().st_size
    print("\nthe dump")
    for path, size, seconds, what in (
        (dump.path, whole, copying_s, "all of the memory"),
        (
            saved.path,
            saved.size,
            saved.seconds,
            f"by rkdump: {saved.kept_pages} of {saved.memory_pages} pages, compressed",
        ),
    ):
        print(f"  {path.name:<14} {size / MIB:>7.1f} MiB in {seconds:>4.1f} s  {what}")
    with Dump(saved.path) as other:
        agree = "Both say the same of" if told(other) == told(dump) else "They differ in"
    print(f"{agree} the panic, and the stack of the task that crashed.")


def told(dump: Dump) -> tuple[str, list[str]]:
    """What a dump says of the crash, in whatever format it is."""
    return dump.panic_message, [frame.name for frame in dump.crashed_thread.stack_trace()]


def as_json(
    verdict: Verdict, progress: Progress, dump: Dump | None, saved: Saved | str | None = None
) -> dict[str, Any]:
    """All of it, for programs."""
    found: dict[str, Any] = {
        "verdict": "good" if verdict.good else "bad",
        "stage": verdict.stage.value,
        "sentence": verdict.sentence,
        "details": list(verdict.details),
        "progress": [
            {"seconds": round(seconds, 1), "what": what} for seconds, what in progress.lines
        ],
        "dump": None,
    }
    if dump is not None:
        task = dump.crashed_thread.object
        found["dump"] = {
            "file": str(dump.path),
            "release": dump.release,
            "panic": dump.panic_message,
            "task": {"name": text(task.comm), "pid": task.pid.value_()},
            "milliseconds": {
                what: round(value, 3) for what, value in crash_times(dump.report).items()
            },
            "saved": None
            if not isinstance(saved, Saved)
            else {"file": str(saved.path), "bytes": saved.size, "seconds": saved.seconds},
            "cpus": [
                {"cpu": cpu.number, "task": cpu.command, "where": cpu.symbol} for cpu in dump.cpus
            ],
        }
    return found
