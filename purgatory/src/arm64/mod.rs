// SPDX-License-Identifier: GPL-2.0

//! Entry from the crashed kernel, exception vectors, and entry into the capture kernel.
//!
//! # Why the MMU and the caches stay on until the digests were checked
//!
//! The kernel's own kexec enters its purgatory with the MMU off. Then all data accesses are to
//! Device-nGnRnE memory (Arm ARM, "The effects of disabling an address translation stage"): none is
//! cached, gathered or prefetched, and SHA-256 waits for memory at each word of a block, and at each
//! of its own variables that is not in a register. kexec-tools' purgatory, which works so, took 20
//! seconds for a kernel of 13 MB and an initrd of 30 MB, and more than two minutes compiled without
//! optimization (kexec-tools, commit 0a7fba8b1453, "purgatory: Change default sha256 optimization
//! to -O2").
//!
//! With caches on, the CPU limits the speed of the same digest. These conditions have to hold:
//!
//! - The identity map is not the crashed kernel's. It lies in the reserved region, was built when
//!   the image was loaded, and was write-protected since.
//! - A digest reads what the capture kernel will read with its caches off. At load each segment was
//!   cleaned and invalidated to the point of coherency, and it is not written afterwards. So a line
//!   that is cached here is clean, and equals memory. An overwritten byte is in memory or in a dirty
//!   line. The digest sees it in both cases, and then no kernel is entered.
//! - The memory that this program writes (data, stack, and the place of the elfcorehdr) is cleaned
//!   before the MMU goes off.
//!
//! QEMU without hardware help has no caches, so no test there can show any of this.

mod entry;
mod exception;
mod features;
pub mod serial;

use core::arch::{
    asm,
    global_asm, //
};
use kexec_core::handover::purgatory::{
    Table,
    ENTER_AT_EL2, //
};

// The memory functions that the compiler emits calls to. Simple loops will do: the largest copy is an
// elfcorehdr that was replaced, some kilobytes.
global_asm!(
    ".section .text.memory, \"ax\", %progbits",
    ".globl memcpy",
    "memcpy:",
    "mov x3, x0",
    "1: cbz x2, 2f",
    "ldrb w4, [x1], #1",
    "strb w4, [x3], #1",
    "sub x2, x2, #1",
    "b 1b",
    "2: ret",
    ".globl memmove",
    "memmove:",
    "cmp x0, x1",
    "b.ls memcpy",
    "3: cbz x2, 4f",
    "sub x2, x2, #1",
    "ldrb w4, [x1, x2]",
    "strb w4, [x0, x2]",
    "b 3b",
    "4: ret",
    ".globl memset",
    "memset:",
    "mov x3, x0",
    "5: cbz x2, 6f",
    "strb w1, [x3], #1",
    "sub x2, x2, #1",
    "b 5b",
    "6: ret",
    ".globl memcmp",
    ".globl bcmp",
    "memcmp:",
    "bcmp:",
    "mov w5, #0",
    "7: cbz x2, 8f",
    "ldrb w3, [x0], #1",
    "ldrb w4, [x1], #1",
    "sub x2, x2, #1",
    "subs w5, w3, w4",
    "b.eq 7b",
    "8: mov w0, w5",
    "ret",
);

/// SCTLR_EL1 with the MMU and the caches off, and the bits set that are reserved as one in older
/// versions of the architecture: LSMAOE, nTLSMD, EIS, TSCXT, EOS (Arm ARM, D19.2 "SCTLR_EL1").
const SCTLR_MMU_OFF: u64 = 1 << 29 | 1 << 28 | 1 << 22 | 1 << 20 | 1 << 11;

/// Enters the capture kernel as Documentation/arch/arm64/booting.rst asks: MMU and data cache off,
/// interrupts masked, x0 = device tree, x1 to x3 = 0.
///
/// Until here the MMU and the caches were on, because without them every access of the digest goes
/// to memory. At load, the segments were cleaned to the point of coherency. This program has written
/// its own data and stack since. Those lines are cleaned too, so that none is evicted later over the
/// capture kernel's writes.
///
/// A kernel that a reboot enters gets EL2 back, where this one has left that to a stub of its own
/// (arch/arm64/kernel/hyp-stub.S): the call `HVC_SOFT_RESTART` goes on at x1, with x2 to x4 as arguments.
pub fn enter_kernel(table: &Table) -> ! {
    // SAFETY: All digests held, so `entry` is the first instruction of the kernel that the module
    // verified, with its device tree at `argument`. This code is identity-mapped, so it goes on
    // when the MMU is off; it uses no memory from the clean on.
    unsafe {
        asm!(
            "adrp x4, purgatory_entry",
            "add x4, x4, :lo12:purgatory_entry",
            "adrp x5, stack_top",
            "add x5, x5, :lo12:stack_top",
            // The smallest data cache line, from CTR_EL0.DminLine, in bytes.
            "mrs x6, ctr_el0",
            "ubfx x6, x6, #16, #4",
            "mov x7, #4",
            "lsl x6, x7, x6",
            "2: dc civac, x4",
            "add x4, x4, x6",
            "cmp x4, x5",
            "b.lo 2b",
            "dsb sy",
            "ic iallu",
            "dsb sy",
            "isb",
            "msr sctlr_el1, x9",
            "isb",
            "cbz x10, 3f",
            "mov x2, x0",
            "mov x0, #1",
            "mov x1, x8",
            "mov x3, xzr",
            "mov x4, xzr",
            "hvc #0",
            "3:",
            "mov x1, xzr",
            "mov x2, xzr",
            "mov x3, xzr",
            "br x8",
            in("x8") table.entry,
            in("x9") SCTLR_MMU_OFF,
            in("x10") u64::from(table.flags & ENTER_AT_EL2),
            in("x0") table.argument,
            options(noreturn),
        )
    }
}

/// Cleans written memory from the caches. The capture kernel starts with the caches off, and sees only
/// memory.
pub fn publish(start: u64, len: u64) {
    let type_register: u64;
    // SAFETY: Reading the cache type register has no effect.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) type_register, options(nomem, nostack)) };
    // CTR_EL0.DminLine: log2 of the smallest line, in words of four bytes.
    let line = 4_u64 << (type_register >> 16 & 0xf);
    let mut address = start & !(line - 1);
    while address < start.wrapping_add(len) {
        // SAFETY: Cleaning a line changes nothing that this program can see.
        unsafe { asm!("dc civac, {}", in(reg) address, options(nostack)) };
        address = address.wrapping_add(line);
    }
    // SAFETY: Waits for the above.
    unsafe { asm!("dsb sy", options(nostack)) };
}

/// The counter that the crash path of the module reads too.
pub fn counter() -> u64 {
    let counter: u64;
    // SAFETY: Reading the virtual count has no effect. The barrier keeps it from being read early.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) counter, options(nomem, nostack)) };
    counter
}

/// Halts for good.
pub fn stop() -> ! {
    loop {
        // SAFETY: Interrupts are masked and stay masked; a wake-up halts again.
        unsafe { asm!("wfi", options(nomem, nostack)) };
    }
}
