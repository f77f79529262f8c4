// SPDX-License-Identifier: GPL-2.0

//! Entry from the crashed kernel, descriptor tables, and entry into the capture kernel.

mod entry;
mod exception;
mod paging;
pub mod serial;

use core::arch::{
    asm,
    global_asm, //
};
use kexec_core::handover::purgatory::{
    Table,
    FOUR_LEVEL_PAGING, //
};

// The memory functions that the compiler emits calls to. `rep movsb` and `rep stosb` are the
// fast forms on every CPU that has 64-bit mode and ERMS, and correct on all others.
global_asm!(
    ".section .text.memory, \"ax\", @progbits",
    ".globl memcpy",
    "memcpy:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    ".globl memmove",
    "memmove:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "cmp rdi, rsi",
    "ja 2f",
    "rep movsb",
    "ret",
    "2:",
    "lea rdi, [rdi + rdx - 1]",
    "lea rsi, [rsi + rdx - 1]",
    "std",
    "rep movsb",
    "cld",
    "ret",
    ".globl memset",
    "memset:",
    "mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    ".globl memcmp",
    ".globl bcmp",
    "memcmp:",
    "bcmp:",
    "mov rcx, rdx",
    "xor eax, eax",
    "cmp rcx, rcx",
    "repe cmpsb",
    "je 3f",
    "movzx eax, byte ptr [rdi - 1]",
    "movzx ecx, byte ptr [rsi - 1]",
    "sub ecx, eax",
    "mov eax, ecx",
    "3:",
    "ret",
);

/// Enters the capture kernel's 64-bit entry point as the boot protocol asks: identity-mapped
/// paging, flat segments 0x10 and 0x18, interrupts off, `rsi` = boot_params
/// (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol").
pub fn enter_kernel(table: &Table) -> ! {
    let (entry, boot_params) = (table.entry, table.argument);
    if table.flags & FOUR_LEVEL_PAGING != 0 {
        // SAFETY: As below; the module sets the flag only where CR4.LA57 is set and the region,
        // with all that is in it, is below 4 GiB.
        unsafe { paging::enter_with_four_levels(entry, boot_params) }
    }
    // SAFETY: All digests held, so `entry` is the 64-bit entry point of the kernel that the
    // module verified, with its boot_params at `boot_params`, both identity-mapped. Nothing of
    // this program is used after the jump.
    unsafe {
        asm!(
            "fninit",
            "xor ebx, ebx",
            "xor ebp, ebp",
            "xor edi, edi",
            "jmp rax",
            in("rax") entry,
            in("rsi") boot_params,
            options(noreturn),
        )
    }
}

/// Does nothing: caches are coherent, so the capture kernel sees all writes.
pub fn publish(_start: u64, _len: u64) {}

/// The counter that the crash path of the module reads too.
pub fn counter() -> u64 {
    // SAFETY: Every 64-bit CPU has the time stamp counter.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Halts for good.
pub fn stop() -> ! {
    loop {
        // SAFETY: Interrupts are off and stay off; after an NMI the loop halts again.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
