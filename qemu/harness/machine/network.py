# SPDX-License-Identifier: GPL-2.0
"""A network card that frames keep coming to, before the crash and after it, from the harness."""

import asyncio
import contextlib
import socket
from pathlib import Path

# To everybody, of the type that is for experiments: a kernel takes it in and drops it.
FRAME = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x01" + b"\x88\xb5" + b"DMA." * 375

# At most so many at once, and then a pause, so that a guest still gets on.
BURST = 8
PAUSE_S = 0.005


def arguments(model: str, sockets: Path) -> list[str]:
    """QEMU's, for a card of this model whose line ends in a directory of sockets."""
    line = (
        f"dgram,id=network,local.type=unix,local.path={sockets}/card,"
        f"remote.type=unix,remote.path={sockets}/network"
    )
    return ["-netdev", line, "-device", f"{model},netdev=network,romfile="]


async def flood(sockets: Path) -> None:
    """Sends frames until it is cancelled."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        line.bind(str(sockets / "network"))
        while True:
            # QEMU is not there yet, or any more, or the card has no room.
            with contextlib.suppress(OSError):
                for _ in range(BURST):
                    line.sendto(FRAME, str(sockets / "card"))
            await asyncio.sleep(PAUSE_S)
