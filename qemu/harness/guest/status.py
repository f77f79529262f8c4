# SPDX-License-Identifier: GPL-2.0
"""The output of `rkexec --status --json`."""

import json
from dataclasses import dataclass
from typing import Any, Self

# A region that is not there.
NOWHERE = range(0)


@dataclass(frozen=True)
class Digest:
    """A digest that a crash compares."""

    algorithm: str
    value: str


@dataclass(frozen=True)
class Segment:
    """One segment of the loaded image."""

    kind: str
    file: range
    """The addresses of the bytes that were copied, which the digest covers."""
    memory: range
    """The addresses of all that the segment owns."""
    digest: Digest | None


@dataclass(frozen=True)
class Decompression:
    """When the kernel is decompressed."""

    when: str
    reason: str | None
    """The reason for which that is not at load."""


@dataclass(frozen=True)
class Status:
    """The module's status."""

    role: str
    armed: bool
    region: range
    low_region: range
    more_regions: list[range]
    """More memory for the capture kernel."""
    shared_regions: list[range]
    """Memory for the capture kernel that the running one uses as well."""
    shared_wait_ms: int | None
    """How long a crash waits because of it."""
    source: str | None
    """Who has set the memory aside."""
    holder: str | None
    """Who has an image in it."""
    used: int | None
    free: int | None
    write_protected: bool | None
    entry: int | None
    decompression: Decompression | None
    signature: str | None
    """The finding about the kernel's signature."""
    segments: dict[str, Segment]
    replacement: str | None
    """Where an image goes that replaces this one."""
    changes: int
    """The number of times that memory or CPUs came or went since the load."""
    hooks: str | None
    """The means by which a crash is noticed."""

    @property
    def regions(self) -> list[range]:
        """All memory that is set aside for the capture kernel."""
        return [one for one in (self.region, self.low_region, *self.more_regions) if one]

    @property
    def usable(self) -> list[range]:
        """All memory that the capture kernel may use."""
        return [*self.regions, *self.shared_regions]

    @property
    def extent(self) -> range:
        """From the first segment to the last one."""
        memory = [segment.memory for segment in self.segments.values()]
        return range(min(one.start for one in memory), max(one.stop for one in memory))

    def overlaps(self, other: "Status") -> bool:
        """Whether the two images have memory in common."""
        one, two = self.extent, other.extent
        return one.start < two.stop and two.start < one.stop

    @classmethod
    def parse(cls, text: str) -> Self:
        """The status in the program's JSON."""
        fields = json.loads(text)
        entry = fields["entry"]
        return cls(
            role=fields["role"],
            armed=fields["armed"],
            region=region(fields["region"]),
            low_region=region(fields["low_region"]),
            more_regions=[region(record) for record in fields["more_regions"]],
            shared_regions=[region(record) for record in fields["shared_regions"]],
            shared_wait_ms=fields["shared_wait_ms"],
            source=fields["source"],
            holder=fields["holder"],
            used=fields["used"],
            free=fields["free"],
            write_protected=fields["write_protected"],
            entry=None if entry is None else int(entry, 16),
            decompression=fields["decompression"] and Decompression(**fields["decompression"]),
            signature=fields["signature"],
            segments={record["kind"]: segment(record) for record in fields["segments"]},
            replacement=fields["replacement"],
            changes=fields["memory"]["replacements"] if fields["armed"] else 0,
            hooks=fields["hooks"]["by"] if fields["armed"] else None,
        )


def region(record: dict[str, Any] | None) -> range:
    """A region's addresses."""
    if record is None:
        return NOWHERE
    start = int(record["start"], 16)
    return range(start, start + record["len"])


def segment(record: dict[str, Any]) -> Segment:
    """A segment with its addresses as ranges."""
    start = int(record["start"], 16)
    return Segment(
        kind=record["kind"],
        file=range(start, start + record["file_len"]),
        memory=range(start, start + record["memory_len"]),
        digest=record["digest"] and Digest(**record["digest"]),
    )
