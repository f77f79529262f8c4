# SPDX-License-Identifier: GPL-2.0
"""Files and tools that a guest is given while it runs."""

import io
import tarfile
from collections.abc import Mapping

from harness.dump.tools import with_libraries
from harness.guest.guest import Guest

ARCHIVE = "/tmp/files.tar"


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Files as an archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, contents in files.items():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(contents), 0o755
            archive.addfile(entry, io.BytesIO(contents))
    return out.getvalue()


async def unpack(guest: Guest, files: Mapping[str, bytes]) -> None:
    """Puts files there, all of them executable."""
    await guest.send(ARCHIVE, _archive(files))
    await guest.shell(f"tar -x -C / -f {ARCHIVE} && rm {ARCHIVE}")


async def install_tool(guest: Guest, name: str) -> None:
    """Puts one of the tools into /bin, and its libraries to where its loader looks for them."""
    files = {f"/{at}": path.read_bytes() for at, path in with_libraries(name).items()}
    await unpack(guest, files)
