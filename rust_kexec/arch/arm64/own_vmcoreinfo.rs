// SPDX-License-Identifier: GPL-2.0

//! What a kernel without VMCOREINFO tells of itself, on arm64.

use crate::sys::bindings;
use core::ffi::CStr;
use kexec_core::dump::vmcoreinfo::lines::Line;

/// The kernel's name for its topmost page table.
pub(crate) const TOP_TABLE: &CStr = c"swapper_pg_dir";

/// TCR_EL1.T1SZ: the address bits that kernel addresses do not use, all ones.
fn unused_address_bits() -> u32 {
    let control: u64;
    // SAFETY: Reads the register that says how this CPU translates addresses.
    unsafe {
        core::arch::asm!(
            "mrs {}, tcr_el1",
            out(reg) control,
            options(nomem, nostack, preserves_flags),
        )
    };
    (control >> 16) as u32 & 0x3f
}

/// The lines that only this architecture has.
pub(crate) fn lines(_top_table: u64) -> [Line<'static>; 10] {
    let unused = unused_address_bits();
    let unused_mask = u64::MAX.checked_shl(64 - unused).unwrap_or_default();
    // SAFETY: These read what is constant after boot.
    unsafe {
        let authenticates = bindings::rust_kexec_authenticates_addresses();
        [
            Line::Number("VA_BITS", bindings::BITS_ADDRESS as i64),
            Line::Address("MODULES_VADDR", bindings::MODULES_START as u64),
            Line::Address("MODULES_END", bindings::MODULES_END as u64),
            Line::Address("VMALLOC_END", bindings::rust_kexec_vmalloc_end()),
            Line::Address("VMEMMAP_START", bindings::rust_kexec_vmemmap_start()),
            Line::Address("VMEMMAP_END", bindings::VMEMMAP_END as u64),
            Line::Address("kimage_voffset", bindings::kimage_voffset),
            Line::Address("PHYS_OFFSET", bindings::rust_kexec_physical_offset()),
            Line::Address("TCR_EL1_T1SZ", unused.into()),
            Line::Address("KERNELPACMASK", if authenticates { unused_mask } else { 0 }),
        ]
    }
}
