// SPDX-License-Identifier: GPL-2.0

//! Pages of the running kernel's memory, from anywhere, and addresses at which they follow each other.

use super::{
    bindings,
    contiguous::pages, //
};
use crate::compat::prelude::*;
use core::ptr::NonNull;
use kernel::{
    alloc::AllocError,
    page::PAGE_SIZE, //
};
use kexec_core::{
    contiguous,
    scattered,
    types::ranges::Range, //
};

/// Pages that the kernel uses for nothing. Dropping it gives them back.
///
/// # Invariants
///
/// Each address is that of a page which is allocated, and which nobody else has.
pub(crate) struct Pages(KVVec<u64>);

/// So many pages were to be had, and were given back.
pub(crate) struct TooFew(pub(crate) usize);

impl Pages {
    /// Takes so many. May sleep.
    pub(crate) fn take(count: usize) -> Result<Self, TooFew> {
        let addresses = KVVec::with_capacity(count, GFP_KERNEL).map_err(|_| TooFew(0))?;
        let mut pages = Self(addresses);
        while pages.0.len() < count {
            // SAFETY: A system call may sleep, and holds no lock here that pages are freed under.
            let address = unsafe { bindings::rust_kexec_take_page() };
            // INVARIANT: It was allocated just now.
            if address == 0 || pages.0.push(address, GFP_KERNEL).is_err() {
                return Err(TooFew(pages.0.len()));
            }
            // SAFETY: As above.
            unsafe { bindings::rust_kexec_cond_resched() };
        }
        Ok(pages)
    }
}

impl scattered::Pages for Pages {
    fn addresses(&self) -> &[u64] {
        &self.0
    }

    fn exchange(&mut self, one: usize, other: usize) {
        // INVARIANT: They are the same pages in another order.
        if one.max(other) < self.0.len() {
            self.0.swap(one, other);
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        for address in self.0.iter() {
            // SAFETY: By the type's invariant the page is ours, and this is its end.
            unsafe { bindings::rust_kexec_give_page_back(*address) }
        }
    }
}

/// Addresses of the kernel at which pages follow each other, for as long as this lives.
///
/// # Invariants
///
/// `len` bytes from `address` on are mapped, writable.
pub(crate) struct Sequence {
    address: NonNull<u8>,
    len: usize,
}

// SAFETY: Every CPU sees the mapping at the same addresses.
unsafe impl Send for Sequence {}
// SAFETY: As above; it gives nothing but the address.
unsafe impl Sync for Sequence {}

impl Sequence {
    /// Maps the pages at these addresses.
    ///
    /// # Safety
    ///
    /// They must be pages of RAM, which outlive this.
    pub(crate) unsafe fn new(addresses: &[u64]) -> Result<Self, AllocError> {
        let mut pages = KVVec::with_capacity(addresses.len(), GFP_KERNEL)?;
        for address in addresses {
            // SAFETY: Pure arithmetic: RAM has page structures, by this function's contract.
            let page = unsafe { bindings::rust_kexec_page_of(*address) };
            pages.push(page, GFP_KERNEL)?;
        }
        let count = u32::try_from(pages.len()).map_err(|_| AllocError)?;
        // SAFETY: The array has so many pages, and is needed for the call only.
        let address = unsafe { bindings::rust_kexec_map_pages(pages.as_mut_ptr(), count) };
        // INVARIANT: All of them were mapped, or none.
        Ok(Self {
            address: NonNull::new(address.cast()).ok_or(AllocError)?,
            len: pages.len().saturating_mul(PAGE_SIZE),
        })
    }

    /// Where they are mapped.
    pub(crate) fn address(&self) -> usize {
        self.address.as_ptr() as usize
    }

    /// What is in them.
    ///
    /// # Safety
    ///
    /// Nobody may write to them while the bytes are used.
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: By the type's invariant, and this function's contract.
        unsafe { core::slice::from_raw_parts(self.address.as_ptr(), self.len) }
    }

    /// What is in them, to be written.
    ///
    /// # Safety
    ///
    /// Nobody else may use them while the bytes are used.
    pub(crate) unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: By the type's invariant, and this function's contract.
        unsafe { core::slice::from_raw_parts_mut(self.address.as_ptr(), self.len) }
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        // SAFETY: Mapped in `new`, and nobody has the address any more.
        unsafe { bindings::vunmap(self.address.as_ptr().cast()) }
    }
}

/// Whether all of a range is memory that this kernel uses, and none of it is known to be broken.
pub(crate) fn is_sound(range: Range) -> bool {
    // SAFETY: Looks at the page's description, if there is one.
    pages(range).all(|page| unsafe { bindings::rust_kexec_page_is_sound(page) })
}

/// Places in memory that the running kernel leaves to the next one as a whole: no page there was reserved at
/// boot, for firmware or for itself, or belongs to a device. What it uses there otherwise does not matter: it is
/// gone when something is copied there. Nothing is taken from it.
pub(crate) struct LeftBehind;

impl contiguous::Memory for LeftBehind {
    type Piece = ();

    fn obstacle(&self, range: Range) -> Option<u64> {
        pages(range).rev().find(|page| {
            // SAFETY: Looks at the page's description, if there is one.
            let sound = unsafe { bindings::rust_kexec_page_is_sound(*page) };
            // SAFETY: As above: a page that is in use has one.
            !sound || unsafe { bindings::rust_kexec_page_is_reserved(*page) }
        })
    }

    fn take(&mut self, _range: Range) -> Option<()> {
        Some(())
    }
}
