# SPDX-License-Identifier: GPL-2.0
"""Page tables of either depth, with and without KASLR, in both kernels."""

from harness import paths
from harness.checks.cpus import decompressed, paged_with
from harness.crash.scenario import Scenario
from harness.guest.loading import CAPTURE
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.cpus import look_at_cpu_flags
from harness.steps.files import have_vmlinux_loaded, hide_the_inner_kernel

X86_64: tuple[Scenario, ...] = (
    # The kernel in a bzImage is entered in the mode that the crashed one had, or with a level less.
    *(
        Scenario(
            name=name,
            hardware=Hardware(cpus=1),
            command_line=f"{command_line} crashkernel=256M",
            capture_command_line=f"{CAPTURE} {capture_command_line}",
            captured=(look_at_cpu_flags,),
            checks=(decompressed("at load"), paged_with(crashed, captured)),
        )
        for name, command_line, capture_command_line, crashed, captured in (
            ("four-levels-captured-by-four", "no5lvl", "", 4, 4),
            ("five-levels-captured-by-five", "", "", 5, 5),
            ("five-levels-captured-by-four", "", "no5lvl", 5, 4),
        )
    ),
    # Above 4 GiB no level can be taken off, but by the bzImage's own code.
    *(
        Scenario(
            name=name,
            hardware=Hardware(cpus=1, memory_mib=6144),
            command_line="crashkernel=256M,high crashkernel=64M,low",
            capture_command_line=f"{CAPTURE} {capture_command_line}",
            captured=(look_at_cpu_flags,),
            checks=(decompressed(when), paged_with(5, captured)),
        )
        for name, capture_command_line, when, captured in (
            ("five-levels-above-4g", "", "at load", 5),
            ("five-levels-above-4g-captured-by-four", "no5lvl", "at the crash", 4),
        )
    ),
    # A bzImage that decompresses itself changes the mode itself.
    *(
        Scenario(
            name=f"{name}-by-itself",
            hardware=Hardware(cpus=1),
            command_line=f"{command_line} crashkernel=256M",
            capture_command_line=f"{CAPTURE} {capture_command_line}",
            prepare=(hide_the_inner_kernel,),
            captured=(look_at_cpu_flags,),
            checks=(decompressed("at the crash"), paged_with(crashed, captured)),
        )
        for name, command_line, capture_command_line, crashed, captured in (
            ("four-levels-captured-by-five", "no5lvl", "", 4, 5),
            ("five-levels-captured-by-four", "", "no5lvl", 5, 4),
        )
    ),
)
# A vmlinux does neither, nor does it tell with which it can be entered.
BY_VMLINUX = Scenario(
    name="five-levels-captured-by-vmlinux",
    hardware=Hardware(cpus=1),
    prepare=(have_vmlinux_loaded,),
    captured=(look_at_cpu_flags,),
    checks=(paged_with(crashed=5, captured=4),),
)
# A distribution's package has the compressed kernel only.
if paths.CAPTURE_VMLINUX.exists():
    X86_64 = (*X86_64, BY_VMLINUX)

SCENARIOS = (
    # The demo has KASLR and, with -cpu max, 5-level paging.
    Scenario(
        name="one-cpu-nokaslr-4-level",
        hardware=Hardware(cpus=1, cpu=PLATFORM.other_paging),
        command_line="nokaslr crashkernel=256M",
    ),
    Scenario(
        name="two-cpus-nokaslr-5-level",
        hardware=Hardware(cpus=2),
        command_line="nokaslr crashkernel=256M",
    ),
    Scenario(
        name="eight-cpus-kaslr-4-level",
        hardware=Hardware(cpus=8, cpu=PLATFORM.other_paging),
        # The capture kernel starts the CPUs that were stopped.
        capture_command_line="console=ttyS0",
    ),
    *{"x86_64": X86_64, "arm64": ()}[paths.ARCH],
)
