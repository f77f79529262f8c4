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

# Attempts that must succeed now and then, whatever the other processes do.
WANTED = {"load", "unload", "status", "own", "no-own"}
# Seconds more that the processes get for that, as many as they need.
MORE = 300

# An attempt notes its name, and the last words of a refusal.
FUNCTIONS = r"""
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
# The time is over, and what must succeed has succeeded; or too much time has passed.
over() {
    now=$(cut -d. -f1 /proc/uptime)
    [ $now -lt $last ] || return 0
    [ $now -ge $end ] || return 1
    for wanted in %(wanted)s; do grep -qx $wanted %(outputs)s || return 1; done
}
# Waits until a process has made so many more attempts that ended as a pattern says.
leave_turns() {
    enough=$(($(grep -c "$2" /tmp/$1) + $3))
    until [ $(grep -c "$2" /tmp/$1) -ge $enough ] || over
    do attempt status rkexec --status; done
}
keep_size() { echo $(cat %(size)s) > %(size)s; }
"""

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
        leave_turns own . 4""",
    "unloads": "attempt unload rkexec --unload; attempt status rkexec --status",
    # Once it had an image, it leaves the region free until there was a load that got it.
    "own": f"""said=$(attempt own {OWN}); echo "$said"; {SEGMENTS}
        attempt no-own kexec-file-load --unload
        [ "$said" != own ] || leave_turns loads '^load$' 1""",
    "sizes": "attempt keep keep_size; attempt shrink shrink; attempt status rkexec --status",
}

# Last words of a process that comes too late: errnos' names, and the words of the C library and of
# a shell. The size cannot be read while another process changes it.
TOO_LATE = re.compile(
    r"\((EBUSY|ENOENT)\)$|: (Device or r|R)esource busy$|: No such file or directory$|"
    r": Invalid argument$|: bad number$|unknown operand$|: arithmetic syntax error$"
)


async def stress(guest: Guest, facts: Facts, seconds: int) -> None:
    """Runs all processes for so long, and then loads the image that is armed at the end.

    They go on until each attempt that must succeed has, which takes longer on a busy machine.
    """
    # A kernel that looks for errors tells once of each that it finds in its own kexec.
    await guest.unload()
    await guest.load_by_the_kernels_own()
    await guest.unload_by_the_kernels_own()
    before = await complaints(guest)
    loops = "".join(
        f"""
        until over; do
            {actions % {"region": facts.status.region.start} if "%" in actions else actions}
        done >> /tmp/{name} 2>&1 &"""
        for name, actions in PROCESSES.items()
    )
    outputs = " ".join(f"/tmp/{name}" for name in PROCESSES)
    functions = FUNCTIONS % {
        "size": SIZE,
        "min": SIZE_MIN,
        "step": STEP,
        "wanted": " ".join(sorted(WANTED)),
        "outputs": outputs,
    }
    script = f"""{functions}
        set +e
        end=$(($(cut -d. -f1 /proc/uptime) + {seconds}))
        last=$((end + {MORE}))
        : | tee {outputs}
        {loops}
        wait"""
    await guest.shell(script, timeout_s=seconds + MORE + 120)
    said = (await guest.shell(f"cat {outputs}")).splitlines()
    for line, count in sorted(Counter(said).items()):
        print(f"{count:6} {line}")
    # A status without words: nothing is loaded.
    refused = [line for line in said if ": " in line and not TOO_LATE.search(line)]
    assert [line for line in refused if line.strip() != "status:"] == []
    assert set(said) >= WANTED
    assert await complaints(guest) == before

    await guest.run(*KEXEC_FILE_UNLOAD)
    await guest.load()
    facts.status = await guest.status()
    facts.system_ram = sorted(await system_ram(guest), key=lambda ram: ram.start)
