# SPDX-License-Identifier: GPL-2.0
"""Processes that want at the same time what there is one of: the reserved memory."""

import re
import shlex
from collections import Counter

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.guest.kernel import complaints
from harness.guest.loading import KEXEC_FILE_UNLOAD, kexec_file_load, rkexec
from harness.steps.memory import system_ram
from harness.units import MIB

SIZE = "/sys/kernel/kexec_crash_size"

# The region gets smaller now and then, while there is room for a capture kernel.
SIZE_MIN = 200 * MIB
STEP = 4 * MIB

# Notes an attempt, and the last words of a refusal.
ATTEMPT = r"""
attempt() {
    name=$1; shift
    if "$@" >/dev/null 2>/tmp/said.$name; then
        echo $name
    else
        echo $name: $(tail -n 1 /tmp/said.$name)
    fi
}
shrink() {
    [ $(cat %(size)s) -le %(min)d ] || echo $(($(cat %(size)s) - %(step)d)) > %(size)s
}
# Waits until a process has made more attempts than so many, or the time is over.
leave_turns() {
    before=$(wc -l < /tmp/$1)
    while [ $(wc -l < /tmp/$1) -le $((before + $2)) ] &&
        [ $(cut -d. -f1 /proc/uptime) -lt $end ]
    do attempt status rkexec --status; done
}
keep_size() { echo $(cat %(size)s) > %(size)s; }
""" % {"size": SIZE, "min": SIZE_MIN, "step": STEP}

OURS = shlex.join(rkexec())
OWN = shlex.join(kexec_file_load())
SEGMENTS = """
attempt kexec-load kexec-load --at=%(region)#x
attempt kexec-load-32 kexec-load --at=%(region)#x --32-bits
""" * paths.has(paths.TARGET, "KEXEC")

# Each process, and its actions, which it repeats.
PROCESSES = {
    # Leaves the others some turns, so that each process gets the region now and then.
    "loads": f"""attempt load {OURS}
        leave_turns own 3""",
    "unloads": "attempt unload rkexec --unload; attempt status rkexec --status",
    # Once it had an image, it leaves the region free until there was a load.
    "own": f"""said=$(attempt own {OWN}); echo "$said"; {SEGMENTS}
        attempt no-own kexec-file-load --unload
        [ "$said" != own ] || leave_turns loads 1""",
    "sizes": "attempt keep keep_size; attempt shrink shrink; attempt status rkexec --status",
}

# Last words of a process that comes too late: errnos' names, and the words of the C library and of
# a shell. The size cannot be read while another process changes it.
TOO_LATE = re.compile(
    r"\((EBUSY|ENOENT)\)$|: (Device or r|R)esource busy$|: No such file or directory$|"
    r": Invalid argument$|: bad number$|unknown operand$|: arithmetic syntax error$"
)

# Attempts that must succeed now and then, whatever the other processes do.
WANTED = {"load", "unload", "status", "no-own"}
WANTED_OF_OWN = {"own", "kexec-load", "kexec-load-32"}


async def stress(guest: Guest, facts: Facts, seconds: int) -> None:
    """Runs all processes for so long, and then loads the image that is armed at the end."""
    # A kernel that looks for errors tells once of each that it finds in its own kexec.
    await guest.unload()
    await guest.load_by_the_kernels_own()
    await guest.unload_by_the_kernels_own()
    before = await complaints(guest)
    loops = "".join(
        f"""
        (
            end=$(($(cut -d. -f1 /proc/uptime) + {seconds}))
            while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do
                {actions % {"region": facts.status.region.start} if "%" in actions else actions}
            done
        ) > /tmp/{name} 2>&1 &"""
        for name, actions in PROCESSES.items()
    )
    await guest.shell(f"{ATTEMPT}\nset +e{loops}\nwait", timeout_s=seconds + 120)
    said = (await guest.shell("cat " + " ".join(f"/tmp/{name}" for name in PROCESSES))).splitlines()
    for line, count in sorted(Counter(said).items()):
        print(f"{count:6} {line}")
    # A status without words: nothing is loaded.
    refused = [line for line in said if ": " in line and not TOO_LATE.search(line)]
    assert [line for line in refused if line.strip() != "status:"] == []
    assert WANTED <= set(said)
    assert WANTED_OF_OWN & set(said)
    assert await complaints(guest) == before

    await guest.run(*KEXEC_FILE_UNLOAD)
    await guest.load()
    facts.status = await guest.status()
    facts.system_ram = sorted(await system_ram(guest), key=lambda ram: ram.start)
