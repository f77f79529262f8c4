# SPDX-License-Identifier: GPL-2.0
"""What benchmarks of ours beside the kernel's own kexec print."""

import statistics
from collections.abc import Mapping, Sequence

KERNELS_OWN = "the kernel's own"


def show(times: Mapping[str, Sequence[float]]) -> None:
    """Prints the median of each implementation's seconds, and its ratio to the kernel's own."""
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, found in times.items():
        print(
            f"  {name:<17} {medians[name]:.3f} s ({min(found):.3f} to {max(found):.3f}), "
            f"ratio to the kernel's own {medians[name] / medians[KERNELS_OWN]:.2f}",
            flush=True,
        )
