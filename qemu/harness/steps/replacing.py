# SPDX-License-Identifier: GPL-2.0
"""Steps in which an image replaces another one, and what happens in the middle of that."""

from itertools import pairwise

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE, rkexec

# Functions of the module, by parts of their symbols. The first one is entered when all segments but
# the purgatory's table have been copied, the other one when all of the copy is there and not armed.
COPIED = "8handover4copy7compare"
COMPLETE = "8handover4copy13compare_table"
# Part of what only a load for a crash enters.
FOR_A_CRASH = "7prepare"

# Capture kernels' command lines, which tell the images apart.
FIRST = f"{CAPTURE} image=first"
SECOND = f"{CAPTURE} image=second"

# Replaces the image by ones with initrds of other lengths, and says after each what is there.
REPLACE = """
for round in $(seq %d); do
    head -c $((round * 7919 %% 2500000 + 1)) %s > /tmp/part
    rkexec --load-panic %s --initrd=/tmp/part --command-line=round=$round
    rkexec --status | grep -E '^(segment +kernel|replacement) '
done
"""
ROUNDS = 100


async def have_a_load_stop(guest: Guest, function: str, flip: int = 0) -> None:
    """The kernel panics when a load enters this function, or a byte of its memory changes there."""
    found = await guest.shell(f"grep -o '_R[[:alnum:]_]*{function}[[:alnum:]_]*' /proc/kallsyms")
    # The padding before a function has a symbol that ends in the function's. There may be one for
    # each purpose of a load; where the compiler finds them equal, either has the name of both.
    symbols = set(found.split())
    [symbol] = [name for name in symbols if FOR_A_CRASH in name] or symbols
    await guest.shell(f"insmod {paths.GUEST_ON_ENTRY} function={symbol} flip={flip}")


async def have_the_next_load_panic(guest: Guest, facts: Facts) -> None:
    """The next load panics when it has copied the segments."""
    await have_a_load_stop(guest, COPIED)


async def have_the_next_check_panic(guest: Guest, facts: Facts) -> None:
    """The next load panics when its image is in its place, but not armed."""
    await have_a_load_stop(guest, COMPLETE)


async def crash_in_a_load(guest: Guest) -> None:
    """Loads an image with the second command line, which panics."""
    await guest.crash_by_running(*rkexec(command_line=SECOND))


async def first_image(guest: Guest, facts: Facts) -> None:
    """The capture kernel has the first image's command line."""
    assert "image=first" in (await guest.read("/proc/cmdline")).split()


async def load_again(guest: Guest, facts: Facts) -> None:
    """The same image once more, which goes beside the one that it replaces."""
    before = facts.status
    assert before.replacement == "beside"
    await guest.load(guest.capture_command_line)
    facts.status = await guest.status()
    assert not facts.status.overlaps(before)


async def replace_many_times(guest: Guest, facts: Facts) -> None:
    """A hundred images of other lengths, and then one that can save a dump."""
    script = REPLACE % (ROUNDS, paths.GUEST_INITRD, paths.GUEST_KERNEL)
    said = (await guest.shell(script, timeout_s=600)).splitlines()
    kernels = [line.split()[2] for line in said if line.startswith("segment")]
    beside = [line for line in said if line.startswith("replacement beside ")]
    assert len(kernels) == len(beside) == ROUNDS
    # They take turns at the two ends of the region.
    assert all(one != other for one, other in pairwise(kernels))
    assert len(set(kernels)) <= 4, set(kernels)
    await guest.load(FIRST)
    facts.status = await guest.status()
