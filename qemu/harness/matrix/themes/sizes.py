# SPDX-License-Identifier: GPL-2.0
"""Machines that grow after the load, and machines of many CPUs and much memory."""

from harness import paths
from harness.checks.memory import pattern_pages, pulled_memory_left_out
from harness.machine.hardware import Hardware, sparse
from harness.machine.platform import PLATFORM
from harness.matrix.row import Row
from harness.matrix.trigger import sysrq
from harness.steps.cpus import plug_a_cpu
from harness.steps.memory import plug_and_pull_memory

GROWING = Hardware(memory_mib=1024, hotplug=True, firmware=PLATFORM.plugs_memory_by_firmware)

# More than the host has.
HUGE_MIB = 64 << 10
HUGE = Hardware(memory_mib=HUGE_MIB, arguments=sparse(HUGE_MIB))

# Without this, each CPU finds out by itself how long it waits, one after the other: minutes, where
# the host has few CPUs. With it, they wait for as long on a host of 2.5 GHz.
KNOWN_DELAY = {"x86_64": "lpj=10000000", "arm64": ""}[paths.ARCH]

X86_64 = (
    Row(
        "cpu-plugged",
        "task, a CPU plugged in after the load",
        sysrq(),
        hardware=Hardware(memory_mib=768, hotplug=True, cpu=f"{PLATFORM.cpu},hypervisor=off"),
        before=(plug_a_cpu,),
    ),
    # The numbers of CPUs are those of their APICs, and the last number of 8 bits means all. QEMU's
    # TCG has no x2APIC (7.2).
    Row(
        "cpus-255",
        "task, 255 CPUs",
        sysrq(),
        hardware=Hardware(cpus=255, memory_mib=2048),
        options=KNOWN_DELAY,
    ),
)

ROWS = (
    Row(
        "memory-plugged",
        "task, memory plugged in and pulled after the load",
        sysrq(),
        hardware=GROWING,
        options="memhp_default_state=online_movable",
        before=(plug_and_pull_memory,),
        checks=(pattern_pages, pulled_memory_left_out),
        canaries=False,
        needs=("MEMORY_HOTREMOVE",),
    ),
    Row(
        "cpus-64",
        "task, 64 CPUs",
        sysrq(),
        hardware=Hardware(cpus=64, memory_mib=2048),
        options=KNOWN_DELAY,
        cpu=-1,
    ),
    Row("memory-64g", "task, 64 GiB", sysrq(), hardware=HUGE),
    *{"x86_64": X86_64, "arm64": ()}[paths.ARCH],
)
