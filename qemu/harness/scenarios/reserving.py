# SPDX-License-Identifier: GPL-2.0
"""Memory that is taken from the running kernel, given back to it, or was kept from it."""

from dataclasses import replace

from harness import paths
from harness.checks.memory import pattern_pages, pulled_memory_left_out
from harness.crash.scenario import Scenario
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.scenarios.hotplug import USE_PLUGGED_MEMORY
from harness.steps.memory import fill_pages_below, plug_and_pull_memory
from harness.steps.reserving import (
    all_is_used,
    fragment,
    give_a_part_back,
    in_pieces,
    insert_with_region,
    insert_with_reserve,
    reserve,
    write_protected,
)
from harness.units import GIB, MIB

# The kernel is booted without crashkernel=.
RUN_TIME = Scenario(
    name="run-time",
    hardware=Hardware(memory_mib=2048),
    command_line="",
    prepare=(reserve,),
    captured=(all_is_used,),
    needs=("CONTIG_ALLOC",),
)

OPTION, REGION = PLATFORM.kept_free

# The kernel has never had the memory, and does not map it.
KEPT_FREE = Scenario(
    name="kept-free",
    hardware=Hardware(memory_mib=2048),
    command_line=OPTION,
    prepare=(insert_with_region(REGION),),
    before=(write_protected, fill_pages_below),
    captured=(all_is_used,),
    checks=(pattern_pages,),
)

# The image above 4 GiB, and memory for DMA below.
LOW = range(1 * GIB, 1 * GIB + 64 * MIB)
HIGH = range(4608 * MIB, 4864 * MIB)

X86_64 = (
    replace(
        KEPT_FREE,
        name="kept-free-pieces",
        hardware=Hardware(memory_mib=5120, hotplug=True),
        command_line=(
            f"memmap=64M${LOW.start:#x} memmap=256M${HIGH.start:#x} {USE_PLUGGED_MEMORY}"
        ),
        prepare=(insert_with_region(LOW, HIGH),),
        needs=("MEMORY_HOTREMOVE", "ACPI_HOTPLUG_MEMORY"),
        # The headers in it follow.
        before=(write_protected, plug_and_pull_memory),
        checks=(pattern_pages, pulled_memory_left_out),
    ),
)

# A node that nothing refers to.
NODE = range(0x9000_0000, 0xA000_0000)
NODE_SOURCE = f"""
/ {{
    reserved-memory {{
        #address-cells = <2>;
        #size-cells = <2>;
        ranges;
        capture@{NODE.start:x} {{
            reg = <0 {NODE.start:#x} 0 {len(NODE):#x}>;
            no-map;
        }};
    }};
}};
"""

ARM64 = (
    replace(
        KEPT_FREE,
        name="kept-free-node",
        hardware=Hardware(memory_mib=2048, device_tree=NODE_SOURCE),
        command_line="",
        prepare=(insert_with_region(NODE),),
    ),
)

SCENARIOS = (
    replace(RUN_TIME, before=(fill_pages_below,), checks=(pattern_pages,)),
    replace(RUN_TIME, name="run-time-parameter", prepare=(insert_with_reserve,)),
    # Where one piece cannot be had.
    replace(RUN_TIME, name="run-time-fragmented", prepare=(fragment, reserve), before=(in_pieces,)),
    # What was given back is the crashed kernel's memory.
    Scenario(name="shrunk", prepare=(give_a_part_back,), captured=(all_is_used,)),
    KEPT_FREE,
    *{"x86_64": X86_64, "arm64": ARM64}[paths.ARCH],
)
