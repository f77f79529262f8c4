# SPDX-License-Identifier: GPL-2.0
"""A kernel that looks for errors in its own code, in both roles, finds none in the module."""

import re
from pathlib import Path
from random import Random

import pytest

from harness import paths
from harness.crash.scenario import BadMoment, Facts, Scenario
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.guest.kernel import complaints, kernel_words, mapped_areas
from harness.guest.vmcore import THEIRS
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.scenarios.hotplug import USE_PLUGGED_MEMORY
from harness.steps.cpus import plug_a_cpu, restart_the_last_cpu
from harness.steps.memory import plug_and_pull_memory
from harness.testing import crash_and_check
from harness.units import MIB

pytestmark = pytest.mark.skipif(
    not paths.has(paths.TARGET, "KASAN") or not paths.has(paths.CAPTURE_TARGET, "KASAN"),
    reason="needs a kernel that looks for errors: VARIANT=debug",
)

# The first words of reports. A panic has a call trace of its own.
REPORT = re.compile(r"BUG|WARNING|UBSAN|ODEBUG|INFO: |DEBUG_LOCKS|\bOops\b|leak|list_(add|del) ")


async def no_reports(guest: Guest) -> None:
    """Nothing was reported, and lockdep, which stops at its first report, still looks."""
    assert await complaints(guest) == []
    assert await kernel_words(guest, "UBSAN|ODEBUG|INFO: |DEBUG_LOCKS|list_(add|del) ") == []
    assert await guest.shell("awk '/debug_locks/ { print $2 }' /proc/lockdep_stats") == "1\n"


async def no_earlier_reports(guest: Guest) -> None:
    """Nothing was found before the module was there.

    With 5-level paging KASAN of 6.12 takes memory for wild where an interrupt comes while
    identify_cpu() clears the features that it found before, X86_FEATURE_LA57 among them.
    """
    earlier, _, _ = (await guest.shell("dmesg")).partition("rust_kexec: loading out-of-tree module")
    if REPORT.search(earlier):
        raise BadMoment("the kernel has reported an error before it had the module")


async def load_and_unload(guest: Guest, facts: Facts) -> None:
    """Loads, after loads and refusals, the image that is armed at the crash."""
    assert (await guest.rkexec("-p", "/init")).status != 0
    (await guest.rkexec("-p", "-u")).check()
    await guest.shell("rmmod rust_kexec")
    (await guest.run("insmod", paths.GUEST_MODULE)).check()
    for _ in range(2):
        await guest.load()
    assert (await guest.run("rmmod", "rust_kexec")).status != 0
    # Nor does the kernel get the region back. Its own loader is left out: UBSAN reports its
    # crash_setup_memmap_entries() (6.12.117).
    await guest.shell("! echo 0 > /sys/kernel/kexec_crash_size")
    facts.status = await guest.status()
    await no_reports(guest)


async def come_and_go(guest: Guest, facts: Facts) -> None:
    """Memory and CPUs come and go while an image is armed."""
    await plug_and_pull_memory(guest, facts)
    await restart_the_last_cpu(guest, facts)
    await plug_a_cpu(guest, facts)
    assert (await guest.status()).changes > 0
    await no_reports(guest)


async def read_in_every_way(guest: Guest, facts: Facts) -> None:
    """Reads and mappings side by side, while the module comes and goes."""
    idle = await mapped_areas(guest)
    for method in (f"--read={MIB}", "--read=4096", f"--map={4 * MIB}"):
        limit = f"--limit={(64 if method.endswith('=4096') else 512) * MIB}"
        finished = await guest.run(
            "vmcore", "time", THEIRS, method, limit, "--readers=3", timeout_s=600
        )
        finished.check()
    holder = await guest.spawn("vmcore", "hold", THEIRS, f"--len={4 * MIB}")
    assert (await guest.run("rmmod", "rust_kexec")).status != 0
    await guest.shell(f"kill {holder['pid']}; while test -e /proc/{holder['pid']}/exe; do :; done")
    await guest.shell("rmmod rust_kexec")
    (await guest.run("insmod", paths.GUEST_MODULE, "exclude=0x1000-0x3000")).check()
    await guest.shell(f"rmmod rust_kexec; insmod {paths.GUEST_MODULE}")
    assert len(await mapped_areas(guest)) <= len(idle)
    await no_reports(guest)


def nothing_in_the_log(dump: Dump, facts: Facts) -> None:
    """The crashed kernel had reported nothing."""
    assert [line for line in dump.kernel_log if REPORT.search(line)] == []


def lockdep_still_looks(dump: Dump, facts: Facts) -> None:
    """Lockdep, which stops at its first report, had made none."""
    assert dump.program["debug_locks"].value_() == 1


DEBUG = Scenario(
    name="debug",
    hardware=Hardware(cpus=4, memory_mib=2048, hotplug=True, cpu=f"{PLATFORM.cpu},hypervisor=off"),
    # The shadow of KASAN takes an eighth of memory.
    command_line=f"crashkernel=512M {USE_PLUGGED_MEMORY}",
    prepare=(no_earlier_reports,),
    before=(load_and_unload, come_and_go),
    captured=(read_in_every_way,),
    checks=(nothing_in_the_log, lockdep_still_looks),
)


async def test_debug(directory: Path, random: Random) -> None:
    await crash_and_check(DEBUG, directory, random)
