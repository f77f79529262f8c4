# SPDX-License-Identifier: GPL-2.0
"""Page tables of either depth, with and without KASLR, in both kernels."""

from harness import paths
from harness.checks.cpus import paged_with
from harness.crash.scenario import Scenario
from harness.guest.loading import CAPTURE
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.steps.cpus import look_at_cpu_flags
from harness.steps.files import have_vmlinux_loaded

X86_64: tuple[Scenario, ...] = (
    # A capture kernel that pages in another way than the one that crashed changes the mode itself.
    Scenario(
        name="four-levels-captured-by-five",
        hardware=Hardware(cpus=1),
        command_line="no5lvl crashkernel=256M",
        captured=(look_at_cpu_flags,),
        checks=(paged_with(crashed=4, captured=5),),
    ),
    Scenario(
        name="five-levels-captured-by-four",
        hardware=Hardware(cpus=1),
        capture_command_line=f"{CAPTURE} no5lvl",
        captured=(look_at_cpu_flags,),
        checks=(paged_with(crashed=5, captured=4),),
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
