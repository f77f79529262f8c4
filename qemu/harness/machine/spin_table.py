# SPDX-License-Identifier: GPL-2.0
"""An arm64 machine without PSCI, whose CPUs wait for the kernel at a spin table.

QEMU leaves PSCI to firmware that starts at EL3. Ours (qemu/firmware) has none, and enters a kernel
that the harness has put into memory, beside a device tree that says so.
"""

from collections.abc import Sequence
from pathlib import Path

from harness import paths
from harness.machine import device_tree

# Places that the firmware knows. The start of RAM is for the device tree that QEMU makes.
SPIN_TABLE = 0x4010_0000
SPIN_TABLE_LEN = 0x1000
DEVICE_TREE = 0x4011_0000
KERNEL = 0x4020_0000
INITRD = 0x4800_0000

# Options of QEMU's `-machine`, which the firmware relies on.
OPTIONS = ("secure=on", "virtualization=on", "gic-version=2")

FIRMWARE = ("-bios", str(paths.FIRMWARE))


def arguments(tree: Path, initrd: Path) -> list[str]:
    """QEMU's arguments to start the kernel."""
    contents = ((tree, DEVICE_TREE), (paths.KERNEL, KERNEL), (initrd, INITRD))
    loaders = [f"loader,file={file},addr={address:#x},force-raw=on" for file, address in contents]
    return [*FIRMWARE, *(word for loader in loaders for word in ("-device", loader))]


def write_device_tree(
    tree: Path, machine: str, processors: Sequence[str], command_line: str, initrd_len: int
) -> None:
    """Writes a machine's device tree to the file `tree`, after the one that QEMU makes for it."""
    source = device_tree.source(machine, processors, *FIRMWARE)
    tree.write_bytes(device_tree.compiled(described(source, command_line, initrd_len)))


def described(source: str, command_line: str, initrd_len: int) -> str:
    """The device tree's source with the spin table in it, and what a boot loader adds.

    PSCI is there but disabled: a call of it is an undefined instruction.
    """
    header = "/dts-v1/;"
    reserved = f"{header}\n/memreserve/ {SPIN_TABLE:#x} {SPIN_TABLE_LEN:#x};"
    cpus = "".join(
        f"cpu@{cpu:x} {{"
        ' enable-method = "spin-table";'
        f" cpu-release-addr = /bits/ 64 <{SPIN_TABLE + 8 * cpu:#x}>;"
        " };\n"
        for cpu in range(source.count('device_type = "cpu"'))
    )
    return f"""{source.replace(header, reserved, 1)}
/ {{
    cpus {{
        {cpus}
    }};
    psci {{
        compatible = "arm,psci-1.0";
        method = "smc";
        status = "disabled";
    }};
    chosen {{
        bootargs = "{command_line}";
        linux,initrd-start = /bits/ 64 <{INITRD:#x}>;
        linux,initrd-end = /bits/ 64 <{INITRD + initrd_len:#x}>;
    }};
}};
"""
