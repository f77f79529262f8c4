# SPDX-License-Identifier: GPL-2.0
"""The kernel of a guest, by its own account: its log, its memory, its mappings."""

from harness.guest.guest import Guest
from harness.units import PAGE


async def kernel_words(guest: Guest, pattern: str) -> list[str]:
    """The lines of the kernel's log that match, without their times."""
    found = await guest.shell(f"dmesg | sed 's/^[^]]*] //' | grep -E '{pattern}' || true")
    return found.splitlines()


# The taints of a bad page, an oops, a warning, and a CPU that hung.
BAD_TAINTS = 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14


async def complaints(guest: Guest) -> list[str]:
    """The lines of the log that tell of an error in the kernel, and the taint of one."""
    said = await kernel_words(guest, "BUG|WARNING|Oops|Call Trace|unable to handle|leak")
    taint = int(await guest.read("/proc/sys/kernel/tainted"))
    return [*said, f"taint {taint:#x}"] if taint & BAD_TAINTS else said


async def free_kib(guest: Guest) -> int:
    """Memory that the kernel could still give, with what it keeps ready for each CPU."""
    await guest.shell("echo 3 > /proc/sys/vm/drop_caches")
    count = '$1 == "nr_free_pages" || $1 == "count:" { pages += $2 } END { print pages }'
    return int(await guest.shell(f"awk '{count}' /proc/zoneinfo")) * PAGE // 1024


async def mapped_areas(guest: Guest) -> list[str]:
    """The kernel's mappings of physical memory, by their lines in /proc/vmallocinfo."""
    text = await guest.read("/proc/vmallocinfo")
    return [line for line in text.splitlines() if " ioremap" in line or "memremap" in line]


async def iomem(guest: Guest, name: str) -> list[range]:
    """The ranges of /proc/iomem that have this name."""
    found = []
    for line in (await guest.read("/proc/iomem")).splitlines():
        addresses, _, label = line.strip().partition(" : ")
        if label == name:
            start, end = (int(number, 16) for number in addresses.split("-"))
            found.append(range(start, end + 1))
    return found


async def symbols(guest: Guest, *names: str) -> dict[str, int]:
    """The addresses of the kernel's symbols."""
    text = await guest.shell(f"grep -E ' ({'|'.join(names)})$' /proc/kallsyms")
    return {name: int(address, 16) for address, _, name in map(str.split, text.splitlines())}
