// SPDX-License-Identifier: GPL-2.0

//! Cache maintenance, which the architecture lets a module do by itself.

use core::arch::asm;

/// Writes dirty lines of `memory` back to where accesses without caches find them, and drops them.
pub(super) fn clean_to_point_of_coherency(memory: &[u8]) {
    let type_register: u64;
    // SAFETY: Reading the cache type register has no effect.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) type_register, options(nomem, nostack)) };
    // CTR_EL0.DminLine: log2 of the smallest line, in words of four bytes.
    let line = 4_usize << ((type_register >> 16) & 0xf);
    let start = memory.as_ptr() as usize & !(line - 1);
    let end = memory.as_ptr() as usize + memory.len();
    for address in (start..end).step_by(line) {
        // SAFETY: Cleaning a line of memory that is ours changes nothing that a program can see.
        unsafe { asm!("dc civac, {}", in(reg) address, options(nostack)) };
    }
    // SAFETY: Waits for the above.
    unsafe { asm!("dsb sy", options(nostack)) };
}

/// Has every CPU forget the instructions that it has cached: they may be those that were in memory before others
/// were written there.
pub(super) fn forget_instructions() {
    // SAFETY: They are fetched again from memory, which has what was written there.
    unsafe { asm!("dsb ish", "ic ialluis", "dsb ish", "isb", options(nostack)) };
}
