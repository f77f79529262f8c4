# SPDX-License-Identifier: GPL-2.0
"""Oopses with panic_on_oops, and damage that the kernel finds."""

from functools import partial

from harness import paths
from harness.matrix.row import Row
from harness.matrix.trigger import (
    BAD_PAGE,
    BUG,
    LKDTM,
    NULL_POINTER,
    PANIC_ON_OOPS,
    Trigger,
    by_arch,
    crasher,
    lkdtm,
    panics,
    run,
)

# From 6.18 on a CPU keeps what is freed in sheaves, and the slab learns of it when they are full.
DOUBLE_FREES = Trigger(
    name="LKDTM SLAB_FREE_DOUBLE",
    cause=partial(
        run, script=f"dmesg -n 1; while :; do echo SLAB_FREE_DOUBLE > {LKDTM}/DIRECT; done"
    ),
    says=BUG,
    functions=("kmem_cache_free", "lkdtm_do_action"),
    task="sh",
    options=("LKDTM", "SLAB_FREELIST_HARDENED"),
    prepare=(PANIC_ON_OOPS,),
)

STACK_GUARD = by_arch(x86_64="stack guard page was hit at", arm64="Unable to handle kernel ")

ROWS = (
    Row("bug", "task", lkdtm("BUG", BUG, at="lkdtm_BUG")),
    Row("oops", "task", lkdtm("EXCEPTION", NULL_POINTER, at="lkdtm_EXCEPTION")),
    Row("oops-crasher", "task, in a module", crasher("task", "oops"), cpu=1, core=True),
    Row(
        "stack-exhausted",
        "task at the end of its stack",
        lkdtm(
            "EXHAUST_STACK",
            by_arch(x86_64="stack guard page was hit", arm64=panics("kernel stack overflow")),
            "recursive_loop",
        ),
        setup=("echo 1 > /proc/sys/kernel/panic_on_oops",),
        needs=("VMAP_STACK",),
    ),
    Row(
        "stack-corrupted",
        "task with a wrong stack canary",
        lkdtm(
            "CORRUPT_STACK",
            panics("stack-protector: Kernel stack is corrupted in: lkdtm_CORRUPT_STACK"),
            "__stack_chk_fail",
            options=("STACKPROTECTOR",),
        ),
    ),
    Row(
        "stack-guard-leading",
        "task, below its stack",
        lkdtm("STACK_GUARD_PAGE_LEADING", STACK_GUARD, at="lkdtm_STACK_GUARD_PAGE_LEADING"),
        needs=("VMAP_STACK",),
    ),
    Row(
        "stack-guard-trailing",
        "task, above its stack",
        lkdtm("STACK_GUARD_PAGE_TRAILING", BAD_PAGE, at="lkdtm_STACK_GUARD_PAGE_TRAILING"),
        needs=("VMAP_STACK",),
    ),
    Row(
        "exec-null",
        "task that jumps to 0",
        lkdtm("EXEC_NULL", NULL_POINTER, outside=True),
    ),
    Row("write-read-only", "task", lkdtm("WRITE_RO", BAD_PAGE, at="lkdtm_WRITE_RO")),
    Row(
        "write-read-only-after-init",
        "task",
        lkdtm("WRITE_RO_AFTER_INIT", BAD_PAGE, at="lkdtm_WRITE_RO_AFTER_INIT"),
    ),
    Row("access-null", "task", lkdtm("ACCESS_NULL", NULL_POINTER, at="lkdtm_ACCESS_NULL")),
    Row(
        "access-user-space",
        "task, SMAP or PAN",
        lkdtm("ACCESS_USERSPACE", BAD_PAGE, at="lkdtm_ACCESS_USERSPACE"),
        needs={"x86_64": (), "arm64": ("ARM64_PAN",)}[paths.ARCH],
    ),
    Row(
        "list-add",
        "task, a corrupted list",
        lkdtm("CORRUPT_LIST_ADD", "list_add corruption", options=("BUG_ON_DATA_CORRUPTION",)),
        setup=("echo 1 > /proc/sys/kernel/panic_on_oops",),
    ),
    Row(
        "list-del",
        "task, a corrupted list",
        lkdtm("CORRUPT_LIST_DEL", "list_del corruption", options=("BUG_ON_DATA_CORRUPTION",)),
        setup=("echo 1 > /proc/sys/kernel/panic_on_oops",),
    ),
    Row(
        "double-free",
        "task, in the slab allocator",
        DOUBLE_FREES,
        cpu=1,
    ),
    Row(
        "usercopy",
        "task, a copy to user space",
        lkdtm(
            "USERCOPY_KERNEL",
            "usercopy: Kernel memory exposure attempt detected",
            at="usercopy_abort",
            options=("HARDENED_USERCOPY",),
        ),
    ),
    Row(
        "fortify",
        "task, a string that is too long",
        lkdtm(
            "FORTIFY_STR_MEMBER",
            "detected buffer overflow",
            at="__fortify_panic",
            options=("FORTIFY_SOURCE",),
        ),
    ),
    Row(
        "array-bounds",
        "task, an index out of bounds",
        lkdtm(
            "ARRAY_BOUNDS",
            by_arch(x86_64="Oops: invalid opcode|UBSAN", arm64="UBSAN"),
            at="lkdtm_ARRAY_BOUNDS",
            options=("UBSAN_TRAP",),
        ),
    ),
    *{
        "x86_64": (),
        "arm64": (
            Row(
                "cfi",
                "task, a call of the wrong type",
                lkdtm(
                    "CFI_FORWARD_PROTO",
                    "CFI failure at",
                    "lkdtm_CFI_FORWARD_PROTO",
                    options=("CFI|CFI_CLANG",),
                ),
                setup=("echo 1 > /proc/sys/kernel/panic_on_oops",),
            ),
        ),
    }[paths.ARCH],
)
