// SPDX-License-Identifier: GPL-2.0

//! The CPU's features, for the crate sha2 (0.11).
//!
//! The crate calls getauxval() of the C library through cpufeatures (0.3), and the library has the
//! answer from the kernel. Here is neither, so this program answers from the CPU's own register.

use core::arch::asm;

/// getauxval's AT_HWCAP, and the bit in it for the SHA-256 instructions (the ABI of Linux,
/// Documentation/arch/arm64/elf_hwcaps.rst).
const AT_HWCAP: u64 = 16;
const HWCAP_SHA2: u64 = 1 << 6;

/// The C library's function of this name, reduced to SHA-256.
#[no_mangle]
extern "C" fn getauxval(kind: u64) -> u64 {
    if kind != AT_HWCAP {
        return 0;
    }
    let instructions: u64;
    // SAFETY: Reading an identification register has no effect.
    unsafe { asm!("mrs {}, id_aa64isar0_el1", out(reg) instructions, options(nomem, nostack)) };
    // ID_AA64ISAR0_EL1.SHA2: nonzero if there are SHA-256 instructions.
    match (instructions >> 12) & 0xf {
        0 => 0,
        _ => HWCAP_SHA2,
    }
}
