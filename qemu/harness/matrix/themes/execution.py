# SPDX-License-Identifier: GPL-2.0
"""Code where there must be none, code that is written to, and memory behind its end."""

from harness import paths
from harness.matrix.row import Row, has_one
from harness.matrix.trigger import BAD_PAGE, Trigger, by_arch, lkdtm, panics

# Where a place has a symbol.
PLACES = {
    "DATA": "data_area",
    "RODATA": "lkdtm_rodata_do_nothing",
    "STACK": "",
    "KMALLOC": "",
    "VMALLOC": "",
    "USERSPACE": "",
}


def exec_at(place: str, symbol: str) -> Trigger:
    """A jump to such a place."""
    kind = f"EXEC_{place}"
    # kCFI reads what stands before a function, and is not let at user space.
    if place == "USERSPACE" and has_one("CFI|CFI_CLANG"):
        return lkdtm(kind, BAD_PAGE, at=f"lkdtm_{kind}")
    return lkdtm(kind, BAD_PAGE, at=symbol, outside=True)


def caller(name: str) -> str:
    """The function that called one in assembler, or who called that: arm64 has no frame for it."""
    return by_arch(x86_64=name, arm64="lkdtm_do_action")


ARM64 = (
    # A return to an address that other keys have signed: a CPU with FPAC refuses it, and others
    # find nothing there.
    Row(
        "pac-corrupted",
        "task whose pointer authentication keys change",
        lkdtm(
            "CORRUPT_PAC",
            rf"{BAD_PAGE}|Internal error: Oops - FPAC:",
            at="change_pac_parameters|no symbol",
            outside=True,
            options=("ARM64_PTR_AUTH_KERNEL",),
        ),
    ),
)

ROWS = (
    *(
        Row(
            f"exec-{place.lower()}",
            "task that jumps to what is no code",
            exec_at(place, symbol),
        )
        for place, symbol in PLACES.items()
    ),
    Row(
        "write-code",
        "task that writes to code",
        lkdtm("WRITE_KERN", BAD_PAGE, caller("lkdtm_WRITE_KERN"), at=".*memcpy.*|lkdtm_WRITE_KERN"),
    ),
    Row(
        "vmalloc-overflow",
        "task that writes behind its memory",
        lkdtm(
            "VMALLOC_LINEAR_OVERFLOW",
            BAD_PAGE,
            caller("lkdtm_VMALLOC_LINEAR_OVERFLOW"),
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
    *{"x86_64": (), "arm64": ARM64}[paths.ARCH],
)
