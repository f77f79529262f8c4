// SPDX-License-Identifier: GPL-2.0

//! The blob's first instructions.
//!
//! The module jumps to offset 0 in 64-bit mode with interrupts off, paging on an identity map of
//! the reserved region, and the table's physical address in `rdi`. All other state is the crashed
//! kernel's: its descriptor tables, its stack, its control bits.

use super::exception;
use crate::{
    purgatory_main,
    relocation, //
};
use core::arch::global_asm;

/// Selector of the code segment that this program runs in, as the boot protocol asks.
pub const CODE_SELECTOR: u16 = 0x10;
/// Selector of a code segment of 32 bits.
pub const CODE_32_SELECTOR: u16 = 0x08;

// CR4 keeps PAE, MCE and LA57: PAE and LA57 cannot change in 64-bit mode, and a TDX guest may not
// clear MCE (identity_mapped() in Linux 6.12's arch/x86/kernel/relocate_kernel_64.S keeps it too).
// Everything else goes, CET before CR0.WP because CR4.CET requires WP. OSFXSR and OSXMMEXCPT are set
// for the SSE registers of the SHA instructions. CR0 ends as PE|MP|ET|NE|PG; TS and EM would make SSE
// instructions fault.
global_asm!(
    ".section .text.entry, \"ax\", @progbits",
    ".globl purgatory_entry",
    "purgatory_entry:",
    "endbr64",
    "jmp 1f",
    // The rest of kexec_core::handover::purgatory::Head: where the console is.
    ".org purgatory_entry + 32, 0",
    "1:",
    "cli",
    "cld",
    "mov r12, rdi",
    "lea rsp, [rip + stack_top]",
    // Load a flat GDT and reload every selector from it.
    "lea rax, [rip + descriptor_table]",
    "mov [rip + descriptor_table_pointer + 2], rax",
    "lgdt [rip + descriptor_table_pointer]",
    "mov eax, 0x18",
    "mov ds, eax",
    "mov es, eax",
    "mov ss, eax",
    "xor eax, eax",
    "mov fs, eax",
    "mov gs, eax",
    "push {code}",
    "lea rax, [rip + 2f]",
    "push rax",
    "retfq",
    "2:",
    "mov rax, cr4",
    "and eax, 0x1060",
    "or eax, 0x600",
    "mov cr4, rax",
    "mov eax, 0x80000033",
    "mov cr0, rax",
    "fninit",
    "ldmxcsr [rip + mxcsr_default]",
    "lea rdi, [rip + purgatory_entry]",
    "lea rsi, [rip + relocations_start]",
    "lea rdx, [rip + relocations_end]",
    "call {apply}",
    "call {install_exceptions}",
    "mov rdi, r12",
    "xor ebp, ebp",
    "call {main}",
    "ud2",
    ".balign 16",
    "descriptor_table:",
    ".quad 0",
    // 0x08: 32-bit code; 0x10: 64-bit code; 0x18: data, all flat (Intel SDM volume 3, "Segment
    // Descriptors").
    ".quad 0x00cf9a000000ffff",
    ".quad 0x00af9a000000ffff",
    ".quad 0x00cf92000000ffff",
    "descriptor_table_end:",
    "descriptor_table_pointer:",
    ".word descriptor_table_end - descriptor_table - 1",
    ".quad 0",
    ".balign 4",
    "mxcsr_default:",
    ".long 0x1f80",
    code = const CODE_SELECTOR,
    apply = sym relocation::apply,
    install_exceptions = sym exception::install,
    main = sym purgatory_main,
);
