// SPDX-License-Identifier: GPL-2.0

//! A loop in which every callee-saved register holds a known value.
//!
//! A CPU that is stopped inside the loop has exactly these values in its registers, and its
//! instruction pointer lies between [`loop_range`]'s ends. A CPU that was in the timer's
//! interrupt at that moment has the kernel's: its instruction pointer says so.

use std::{
    arch::global_asm,
    ops::Range, //
};

use crate::splitmix::SplitMix64;

/// The registers that the loop keeps, in the order in which it loads them.
#[cfg(target_arch = "x86_64")]
pub const REGISTERS: [&str; 6] = ["rbx", "rbp", "r12", "r13", "r14", "r15"];
/// The registers that the loop keeps, in the order in which it loads them.
#[cfg(target_arch = "aarch64")]
pub const REGISTERS: [&str; 10] = [
    "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28",
];

/// One value for each of [`REGISTERS`].
pub type Values = [u64; REGISTERS.len()];

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".pushsection .text.rust_kexec_spin, \"ax\", @progbits",
    ".balign 16",
    ".globl rust_kexec_spin",
    ".type rust_kexec_spin, @function",
    "rust_kexec_spin:",
    "mov rbx, [rdi]",
    "mov rbp, [rdi + 8]",
    "mov r12, [rdi + 16]",
    "mov r13, [rdi + 24]",
    "mov r14, [rdi + 32]",
    "mov r15, [rdi + 40]",
    ".globl rust_kexec_spin_loop",
    "rust_kexec_spin_loop:",
    "2:",
    "pause",
    "jmp 2b",
    ".globl rust_kexec_spin_end",
    "rust_kexec_spin_end:",
    ".size rust_kexec_spin, . - rust_kexec_spin",
    ".popsection",
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".pushsection .text.rust_kexec_spin, \"ax\", @progbits",
    ".balign 16",
    ".globl rust_kexec_spin",
    ".type rust_kexec_spin, @function",
    "rust_kexec_spin:",
    "ldp x19, x20, [x0]",
    "ldp x21, x22, [x0, #16]",
    "ldp x23, x24, [x0, #32]",
    "ldp x25, x26, [x0, #48]",
    "ldp x27, x28, [x0, #64]",
    ".globl rust_kexec_spin_loop",
    "rust_kexec_spin_loop:",
    "2:",
    "yield",
    "b 2b",
    ".globl rust_kexec_spin_end",
    "rust_kexec_spin_end:",
    ".size rust_kexec_spin, . - rust_kexec_spin",
    ".popsection",
);

extern "C" {
    fn rust_kexec_spin(values: &Values) -> !;
    static rust_kexec_spin_loop: u8;
    static rust_kexec_spin_end: u8;
}

/// The values for a seed: the start of its [`SplitMix64`] stream, all different.
pub fn values(seed: u64) -> Values {
    let mut values = Values::default();
    for (value, number) in values.iter_mut().zip(SplitMix64::new(seed)) {
        *value = number;
    }
    values
}

/// The addresses of the loop's instructions.
pub fn loop_range() -> Range<usize> {
    (&raw const rust_kexec_spin_loop).addr()..(&raw const rust_kexec_spin_end).addr()
}

/// Loads the values and loops until the process is killed.
pub fn spin(values: &Values) -> ! {
    // SAFETY: The function reads `values`, which has a word for each register that it loads, and
    // never returns, so nobody misses the registers' former contents.
    unsafe { rust_kexec_spin(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_from_the_seed_and_differ() {
        let first = values(7);
        assert_eq!(first, values(7));
        assert_ne!(first, values(8));
        let mut sorted = first;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn the_loop_is_two_instructions() {
        let range = loop_range();
        let len = if cfg!(target_arch = "x86_64") { 4 } else { 8 };
        assert_eq!(range.len(), len);
    }
}
