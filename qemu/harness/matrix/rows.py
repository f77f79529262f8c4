# SPDX-License-Identifier: GPL-2.0
"""The one list of all rows."""

from harness.matrix.row import Row
from harness.matrix.themes import (
    contexts,
    detectors,
    devices,
    execution,
    images,
    machine,
    nmis,
    oopses,
    panics,
    patched,
    sizes,
    stalls,
)

ROWS: tuple[Row, ...] = (
    *panics.ROWS,
    *patched.ROWS,
    *contexts.ROWS,
    *devices.ROWS,
    *nmis.ROWS,
    *oopses.ROWS,
    *execution.ROWS,
    *detectors.ROWS,
    *stalls.ROWS,
    *machine.ROWS,
    *sizes.ROWS,
    *images.ROWS,
)
