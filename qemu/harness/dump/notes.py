# SPDX-License-Identifier: GPL-2.0
"""The notes of a dump: each CPU's registers, and the report of the crash path."""

import struct
from dataclasses import dataclass
from typing import Self

# The type of our own note.
NT_REPORT = 0x524B0001

# Its stages.
STAGES = 8

# The offset of pr_pid in struct elf_prstatus, on every 64-bit machine.
PR_PID_OFFSET = 32


@dataclass(frozen=True)
class Prstatus:
    """One NT_PRSTATUS note."""

    pid: int
    registers: dict[str, int]


@dataclass(frozen=True)
class Report:
    """The note that the crash path left (kexec_core's report.rs); times are the counter's."""

    frequency: int
    noticed: int
    stopped: int
    purgatory_checked: int
    silenced: int
    left: int
    purgatory_entered: int
    checked: int
    kernel_entered: int
    cpus: tuple[int, ...]
    circumstances: tuple[int, ...]

    NOT_STOPPED = (1 << 64) - 1
    USER = 1 << 0
    IDLE = 1 << 1
    CRASHED = 1
    KERNEL = 5

    @classmethod
    def parse(cls, description: bytes) -> Self:
        """The report in a note's contents."""
        version, frequency, count, *times = struct.unpack(f"<{len(description) // 8}Q", description)
        if version != 2 or 2 * count != len(times) - STAGES:
            raise AssertionError(f"the crash report has version {version}, for {count} CPUs")
        noticed, stopped, checked, silenced, left, entered, digests, kernel, *cpus = times
        return cls(
            frequency,
            noticed,
            stopped,
            checked,
            silenced,
            left,
            entered,
            digests,
            kernel,
            tuple(cpus[::2]),
            tuple(cpus[1::2]),
        )

    def seconds(self, start: int, end: int) -> float:
        """The time between two values of the counter."""
        return (end - start) / self.frequency

    @property
    def not_stopped(self) -> set[int]:
        """The CPUs that did not stop."""
        return {cpu for cpu, time in enumerate(self.cpus) if time == self.NOT_STOPPED}

    def means(self, cpu: int) -> int:
        """The number of the means by which a CPU stopped."""
        return self.circumstances[cpu] >> 8 & 0xFF

    @property
    def has_stopped(self) -> list[int]:
        """The CPUs that did."""
        return [cpu for cpu, time in enumerate(self.cpus) if time not in (0, self.NOT_STOPPED)]
