// SPDX-License-Identifier: GPL-2.0

//! The blob's first instructions.
//!
//! The module jumps to offset 0 with interrupts masked, the MMU and the caches on, an identity map
//! of the reserved region in TTBR0, and the table's address in x0. At EL1, or at EL2 with VHE,
//! where the names of EL1's registers reach those of EL2.

use super::exception;
use crate::{
    purgatory_main,
    relocation, //
};
use core::arch::global_asm;

// CPACR_EL1.FPEN is opened for the registers of the SHA instructions.
global_asm!(
    ".section .text.entry, \"ax\", %progbits",
    ".globl purgatory_entry",
    "purgatory_entry:",
    // BTI j, a no-operation without branch target identification.
    "hint #36",
    "b 1f",
    // The rest of kexec_core::handover::purgatory::Head: where the console is.
    ".org purgatory_entry + 32, 0",
    "1:",
    "msr daifset, #0xf",
    "mov x19, x0",
    "adrp x1, stack_top",
    "add x1, x1, :lo12:stack_top",
    "mov sp, x1",
    "mov x1, #(3 << 20)",
    "msr cpacr_el1, x1",
    "adrp x1, {vectors}",
    "add x1, x1, :lo12:{vectors}",
    "msr vbar_el1, x1",
    "isb",
    "adrp x0, purgatory_entry",
    "adrp x1, relocations_start",
    "add x1, x1, :lo12:relocations_start",
    "adrp x2, relocations_end",
    "add x2, x2, :lo12:relocations_end",
    "mov x29, xzr",
    "mov x30, xzr",
    "bl {apply}",
    "mov x0, x19",
    "bl {main}",
    "udf #0",
    vectors = sym exception::VECTORS,
    apply = sym relocation::apply,
    main = sym purgatory_main,
);
