// SPDX-License-Identifier: GPL-2.0

//! Memory that is taken from the running kernel, by moving elsewhere what is in it.

use super::bindings;
use kernel::page::PAGE_SIZE;
use kexec_core::{
    contiguous::Memory,
    types::ranges::Range, //
};

/// Whether this kernel can move what is in the way.
pub(crate) const CAN_BE_TAKEN: bool = cfg!(CONFIG_CONTIG_ALLOC);

/// The memory that the kernel's allocators have.
pub(crate) struct KernelMemory;

/// Contiguous memory that the kernel uses for nothing. Dropping it gives it back.
///
/// # Invariants
///
/// The pages are allocated, and nobody else has them.
pub(crate) struct Contiguous(Range);

impl Memory for KernelMemory {
    type Piece = Contiguous;

    fn obstacle(&self, range: Range) -> Option<u64> {
        let mut pages = pages(range).rev();
        // SAFETY: Looks at the page's description, if there is one.
        let zone = |page| unsafe { bindings::rust_kexec_movable_zone(page) };
        let last = pages.next()?;
        let all = zone(last);
        match all.is_null() {
            true => Some(last),
            // Memory is taken from one zone.
            false => pages.find(|page| zone(*page) != all),
        }
    }

    fn take(&mut self, range: Range) -> Option<Contiguous> {
        // INVARIANT: The pages are the caller's where that succeeds.
        take(range).then(|| Contiguous(range))
    }
}

impl Drop for Contiguous {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant the pages are ours, and this is their end.
        unsafe { give_back(self.0) }
    }
}

/// The addresses of the pages that a range consists of.
pub(super) fn pages(range: Range) -> impl DoubleEndedIterator<Item = u64> {
    let page_len = PAGE_SIZE as u64;
    (range.start() / page_len..range.end() / page_len).map(move |frame| frame * page_len)
}

#[cfg(CONFIG_CONTIG_ALLOC)]
fn take(range: Range) -> bool {
    // SAFETY: The pages are online, in one zone. While they go offline their blocks are isolated, and
    // this fails; alloc_contig_pages() relies on that too. It may sleep, as a system call may.
    unsafe { bindings::rust_kexec_take_contiguous(range.start(), range.end()) == 0 }
}

/// # Safety
///
/// The range was taken, and nobody uses it any more.
#[cfg(CONFIG_CONTIG_ALLOC)]
unsafe fn give_back(range: Range) {
    use kernel::ffi::c_ulong;

    let frame = |address| (address / PAGE_SIZE as u64) as c_ulong;
    // SAFETY: By this function's contract.
    unsafe { bindings::free_contig_range(frame(range.start()), frame(range.len())) }
}

#[cfg(not(CONFIG_CONTIG_ALLOC))]
fn take(_range: Range) -> bool {
    false
}

#[cfg(not(CONFIG_CONTIG_ALLOC))]
unsafe fn give_back(_range: Range) {}
