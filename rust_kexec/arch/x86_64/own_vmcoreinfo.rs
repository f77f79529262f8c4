// SPDX-License-Identifier: GPL-2.0

//! What a kernel without VMCOREINFO tells of itself, on x86_64.

use super::image::five_level_paging;
use crate::sys::bindings;
use core::ffi::CStr;
use kexec_core::dump::vmcoreinfo::lines::Line;

/// The kernel's name for its topmost page table, which others call swapper_pg_dir.
pub(crate) const TOP_TABLE: &CStr = c"init_top_pgt";

/// The lines that only this architecture has. Memory is not encrypted where an image is loaded.
pub(crate) fn lines(top_table: u64) -> [Line<'static>; 5] {
    // SAFETY: Set once, early in boot.
    let physical_base = unsafe { bindings::phys_base };
    [
        Line::Symbol("init_top_pgt", top_table),
        Line::Number("phys_base", physical_base as i64),
        Line::Number("pgtable_l5_enabled", five_level_paging().into()),
        Line::Number("KERNEL_IMAGE_SIZE", bindings::LEN_KERNEL_IMAGE as i64),
        Line::Number("sme_mask", 0),
    ]
}
