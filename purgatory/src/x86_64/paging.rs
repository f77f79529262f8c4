// SPDX-License-Identifier: GPL-2.0

//! Entry into a kernel that has to be entered with four levels of page tables, from a CPU that has
//! five.
//!
//! CR4.LA57 cannot change in 64-bit mode, so the mode is left and entered again (Intel SDM volume 3,
//! "IA-32e Mode Operation": a code segment of 32 bits, CR0.PG cleared, CR4 and CR3 changed, CR0.PG
//! set). In between addresses have 32 bits; the module uses this only where all of the region is
//! below 4 GiB. A bzImage does the same to itself. The kernel inside it, which is a vmlinux, does not.

use super::entry::{
    CODE_32_SELECTOR,
    CODE_SELECTOR, //
};
use core::arch::global_asm;

// The identity map of four levels is what the first entry of the top table points to: below 4 GiB
// the fifth level only leads there. Interrupts stay off. An NMI in here would find no handler for
// 32-bit mode; trampoline_32bit_src in Linux 6.12's arch/x86/boot/compressed/head_64.S accepts that
// too.
global_asm!(
    ".section .text.paging, \"ax\", @progbits",
    "enter_with_four_levels:",
    "mov rdx, cr3",
    "mov rdx, [rdx]",
    "and edx, 0xfffff000",
    "lea rbx, [rip + 3f]",
    "push {code_32}",
    "lea rax, [rip + 2f]",
    "push rax",
    "retfq",
    ".code32",
    "2:",
    "mov eax, cr0",
    "and eax, 0x7fffffff",
    "mov cr0, eax",
    "mov cr3, edx",
    "mov eax, cr4",
    "and eax, 0xffffefff",
    "mov cr4, eax",
    "mov eax, cr0",
    "or eax, 0x80000000",
    "mov cr0, eax",
    "push {code}",
    "push ebx",
    "retf",
    ".code64",
    "3:",
    // After 32-bit code the upper halves of registers are undefined.
    "mov eax, edi",
    "mov esi, esi",
    "xor ebx, ebx",
    "xor ebp, ebp",
    "xor edi, edi",
    "jmp rax",
    code_32 = const CODE_32_SELECTOR,
    code = const CODE_SELECTOR,
);

extern "C" {
    /// Enters the kernel at `entry`, with its boot_params.
    ///
    /// # Safety
    ///
    /// Both are identity-mapped, as are this program and its stack, and all of it, with the page
    /// tables, is below 4 GiB; CR4.LA57 is set.
    pub fn enter_with_four_levels(entry: u64, boot_params: u64) -> !;
}
