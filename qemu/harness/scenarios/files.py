# SPDX-License-Identifier: GPL-2.0
"""Files in which the kernel tells about itself, and which a load must not believe."""

from harness.crash.scenario import Scenario
from harness.steps.files import (
    forge_the_kernels_files,
    load_without_file_systems,
    same_screen,
    uncover_the_kernels_files,
)

SCENARIOS = (
    Scenario(
        name="forged-files",
        prepare=(load_without_file_systems, forge_the_kernels_files),
        before=(uncover_the_kernels_files,),
        captured=(same_screen,),
    ),
)
