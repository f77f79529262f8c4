# SPDX-License-Identifier: GPL-2.0
"""Sizes and maps of memory."""

from harness import paths
from harness.checks.memory import many_pieces, pattern_pages, waited_for_devices
from harness.crash.scenario import Scenario
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.memory import SHARED_MIB, fill_pages, shared_with_the_kernel
from harness.steps.reserving import all_is_used

# A region with memory on both sides is one whose place is asked for, and that place must not be
# where KASLR puts the kernel.
REGION_AMID_MEMORY = f"nokaslr {PLATFORM.middle_region}"

X86_64 = (
    # Firmware has a page for itself in each of many places.
    Scenario(
        name="many-pieces",
        hardware=Hardware(memory_mib=2048),
        command_line=f"{REGION_AMID_MEMORY} memmap="
        + ",".join(f"4K${address}M" for address in range(300, 380)),
        before=(fill_pages,),
        checks=(many_pieces, pattern_pages),
    ),
)

SCENARIOS = (
    Scenario(
        name="memory-2g",
        hardware=Hardware(memory_mib=2048),
        command_line=REGION_AMID_MEMORY,
        before=(fill_pages,),
        checks=(pattern_pages,),
    ),
    Scenario(
        name="memory-6g",
        hardware=Hardware(memory_mib=6144),
        command_line=REGION_AMID_MEMORY,
        before=(fill_pages,),
        checks=(pattern_pages,),
    ),
    # The running kernel has programs in a part of what the capture kernel gets.
    Scenario(
        name="shared-memory",
        hardware=Hardware(memory_mib=2048),
        command_line=f"crashkernel=192M crashkernel={SHARED_MIB}M,cma",
        needs=("CMA",),
        since=(6, 17),
        before=(shared_with_the_kernel,),
        captured=(all_is_used,),
        checks=(waited_for_devices,),
    ),
    *{"x86_64": X86_64, "arm64": ()}[paths.ARCH],
)
