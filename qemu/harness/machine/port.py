# SPDX-License-Identifier: GPL-2.0
"""The host's end of a serial port of the guest's."""

from pathlib import Path
from typing import Protocol


class Port(Protocol):
    """A listener at the socket that QEMU connects such a port to."""

    async def serve(self, path: Path) -> None:
        """Starts to listen."""

    def close(self) -> None:
        """Stops listening."""
