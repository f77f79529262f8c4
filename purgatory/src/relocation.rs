// SPDX-License-Identifier: GPL-2.0

//! Relocation: pointers in the blob's data are moved to the blob's place in memory.

use core::mem::{
    offset_of,
    size_of, //
};

/// Elf64_Rela (System V ABI, "Relocation").
#[repr(C)]
pub struct Relocation {
    offset: u64,
    info: u64,
    addend: u64,
}

const _: () = {
    assert!(size_of::<Relocation>() == 24);
    assert!(offset_of!(Relocation, addend) == 16);
};

/// Applies the linker's relative relocations. A static position-independent executable without
/// undefined symbols has no other kind; scripts/build-purgatory checks that.
///
/// # Safety
///
/// `base` must be the blob's address, and `start..end` its relocations. Must run once, before
/// any code that reads a pointer from the blob's data; it reads none itself.
pub unsafe extern "C" fn apply(base: u64, start: *const Relocation, end: *const Relocation) {
    let mut relocation = start;
    while relocation != end {
        // SAFETY: Between `start` and `end` lie the linker's records; each names an aligned
        // word inside the blob.
        unsafe {
            let target = base.wrapping_add((*relocation).offset) as usize as *mut u64;
            target.write(base.wrapping_add((*relocation).addend));
            relocation = relocation.add(1);
        }
    }
}
