// SPDX-License-Identifier: GPL-2.0

//! A process accesses a page of a mapping that is not there yet.

use super::bindings;
use super::user_mapping::page_number;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::ffi::c_ulong;

/// What the kernel is told. Each of the methods that map says it by its own.
#[repr(transparent)]
pub(crate) struct Answer(bindings::vm_fault_t);

impl Answer {
    /// There is nothing in the file, or nothing that can be mapped: SIGBUS.
    pub(crate) const NOTHING_THERE: Self = Self(bindings::vm_fault_reason_VM_FAULT_SIGBUS);
    /// No large page fits here: the kernel shall ask for a small one.
    pub(crate) const SMALL_PAGE: Self = Self(bindings::vm_fault_reason_VM_FAULT_FALLBACK);
}

/// An access that waits for its page.
///
/// # Invariants
///
/// It points to a struct vm_fault that is valid for `'a`, of a mapping that is made of physical
/// memory alone.
pub(crate) struct PageFault<'a>(
    NonNull<bindings::vm_fault>,
    PhantomData<&'a mut bindings::vm_fault>,
);

impl PageFault<'_> {
    /// Wraps the kernel's structure.
    ///
    /// # Safety
    ///
    /// `fault` must be what the mapping's operation was called with.
    pub(crate) unsafe fn new(fault: NonNull<bindings::vm_fault>) -> Self {
        // INVARIANT: The caller vouches for it.
        Self(fault, PhantomData)
    }

    /// Maps the page at physical address `address`, which is not RAM of this kernel's own.
    pub(crate) fn map_memory(self, address: u64) -> Answer {
        self.map_frame(page_number(address))
    }

    /// Maps a page of zeros.
    pub(crate) fn map_zeros(self) -> Answer {
        // SAFETY: Looks a page up that the kernel always has.
        self.map_frame(unsafe { bindings::rust_kexec_zero_frame() })
    }

    fn map_frame(self, frame: c_ulong) -> Answer {
        // SAFETY: By the type's invariant; such a mapping takes frames without a struct page.
        Answer(unsafe {
            let access = self.0.as_ref().__bindgen_anon_1;
            bindings::vmf_insert_pfn(access.vma, access.address, frame)
        })
    }

    /// Maps the large page at physical address `address`, a multiple of its length, of which
    /// nothing is RAM of this kernel's own. The access is to a place that a large page fits.
    pub(crate) fn map_large_page(self, address: u64) -> Answer {
        // SAFETY: By the type's invariant.
        Answer(unsafe { bindings::rust_kexec_insert_large_page(self.0.as_ptr(), address) })
    }
}
