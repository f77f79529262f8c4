# SPDX-License-Identifier: GPL-2.0
"""Code where there must be none, code that is written to, and memory behind its end."""

from harness.matrix.row import Row
from harness.matrix.trigger import BAD_PAGE, lkdtm, panics

# Where a place has a symbol.
PLACES = {
    "DATA": "data_area",
    "RODATA": "lkdtm_rodata_do_nothing",
    "STACK": "",
    "KMALLOC": "",
    "VMALLOC": "",
    "USERSPACE": "",
}

ROWS = (
    *(
        Row(
            f"exec-{place.lower()}",
            "task that jumps to what is no code",
            lkdtm(f"EXEC_{place}", BAD_PAGE, at=symbol, outside=True),
        )
        for place, symbol in PLACES.items()
    ),
    Row(
        "write-code",
        "task that writes to code",
        lkdtm("WRITE_KERN", BAD_PAGE, "lkdtm_WRITE_KERN", at=".*memcpy.*|lkdtm_WRITE_KERN"),
    ),
    Row(
        "vmalloc-overflow",
        "task that writes behind its memory",
        lkdtm(
            "VMALLOC_LINEAR_OVERFLOW",
            BAD_PAGE,
            "lkdtm_VMALLOC_LINEAR_OVERFLOW",
            at=".*memset.*|lkdtm_VMALLOC_LINEAR_OVERFLOW",
        ),
    ),
    Row(
        "stack-corrupted-strong",
        "task with a wrong stack canary",
        lkdtm(
            "CORRUPT_STACK_STRONG",
            panics("stack-protector: Kernel stack is corrupted in: lkdtm_CORRUPT_STACK_STRONG"),
            "__stack_chk_fail",
            options=("STACKPROTECTOR_STRONG",),
        ),
    ),
)
