// SPDX-License-Identifier: GPL-2.0

//! Accesses to pages of a mapping that are not mapped yet.

use super::bindings;
use core::{
    marker::PhantomData,
    mem::zeroed,
    ptr::NonNull, //
};
use kernel::{
    ffi::{
        c_uint,
        c_ulong, //
    },
    page::PAGE_SIZE, //
};

/// The contents of a file of whose mappings accesses map parts. Offsets are bytes from its start.
pub(crate) trait FaultOperations: Send + Sync + 'static {
    /// A page at `offset` is accessed in a mapping.
    fn page_fault(&self, fault: PageFault<'_>, offset: u64) -> Answer;

    /// The same, where a large page at `offset` would fit the mapping.
    fn large_page_fault(&self, fault: PageFault<'_>, offset: u64) -> Answer;
}

/// The answer to the kernel. Each method that maps a page returns one.
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
    unsafe fn new(fault: NonNull<bindings::vm_fault>) -> Self {
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
        #[cfg(CONFIG_TRANSPARENT_HUGEPAGE)]
        // SAFETY: By the type's invariant.
        return Answer(unsafe { bindings::rust_kexec_insert_large_page(self.0.as_ptr(), address) });
        #[cfg(not(CONFIG_TRANSPARENT_HUGEPAGE))]
        {
            let _ = address;
            Answer::SMALL_PAGE
        }
    }
}

/// The operations of a mapping of which accesses map parts.
pub(super) trait ByAccesses: FaultOperations + Sized {
    const BY_ACCESSES: &'static bindings::vm_operations_struct = &bindings::vm_operations_struct {
        fault: Some(page_fault::<Self>),
        huge_fault: match LARGE_PAGES {
            true => Some(large_page_fault::<Self>),
            false => None,
        },
        // SAFETY: Zeros stand for operations that are not there.
        ..unsafe { zeroed() }
    };
}

impl<T: FaultOperations> ByAccesses for T {}

/// The contents that are mapped.
///
/// # Safety
///
/// `vma` must be an area whose file has such contents, for `'a`.
unsafe fn contents<'a, T: FaultOperations>(vma: *const bindings::vm_area_struct) -> &'a T {
    // SAFETY: By this function's contract.
    unsafe { &*(*(*vma).vm_file).private_data.cast() }
}

/// A page is accessed.
///
/// # Safety
///
/// To be called for a mapping that [`ByAccesses::BY_ACCESSES`] is set for.
unsafe extern "C" fn page_fault<T: FaultOperations>(
    fault: *mut bindings::vm_fault,
) -> bindings::vm_fault_t {
    let Some(fault) = NonNull::new(fault) else {
        return Answer::NOTHING_THERE.0;
    };
    // SAFETY: By this function's contract.
    let (contents, page): (&T, _) = unsafe {
        let access = &fault.as_ref().__bindgen_anon_1;
        (contents(access.vma), access.pgoff)
    };
    // SAFETY: By this function's contract.
    let fault = unsafe { PageFault::new(fault) };
    let offset = (page as u64).wrapping_mul(PAGE_SIZE as u64);
    contents.page_fault(fault, offset).0
}

/// The same, for a large page, if it fits the mapping.
///
/// # Safety
///
/// As for [`page_fault`].
unsafe extern "C" fn large_page_fault<T: FaultOperations>(
    fault: *mut bindings::vm_fault,
    order: c_uint,
) -> bindings::vm_fault_t {
    let Some(fault) = NonNull::new(fault) else {
        return Answer::NOTHING_THERE.0;
    };
    // SAFETY: By this function's contract.
    let (contents, offset): (&T, _) = unsafe {
        let access = &fault.as_ref().__bindgen_anon_1;
        (
            contents(access.vma),
            large_page_offset(&*access.vma, access.address),
        )
    };
    match offset {
        Some(offset) if order == bindings::PMD_ORDER => {
            // SAFETY: By this function's contract.
            let fault = unsafe { PageFault::new(fault) };
            contents.large_page_fault(fault, offset).0
        }
        _ => Answer::SMALL_PAGE.0,
    }
}

/// Where in the file the large page around an address begins, if the mapping has the whole of it.
fn large_page_offset(vma: &bindings::vm_area_struct, address: c_ulong) -> Option<u64> {
    // SAFETY: The union's other part is for areas that are gone.
    let place = unsafe { vma.__bindgen_anon_1.__bindgen_anon_1 };
    let start = address & !(bindings::PMD_SIZE - 1);
    let into = start.checked_sub(place.vm_start)?;
    match place.vm_end.checked_sub(start)? {
        rest if rest < bindings::PMD_SIZE => None,
        _ => Some(
            (vma.vm_pgoff as u64)
                .wrapping_mul(PAGE_SIZE as u64)
                .wrapping_add(into as u64),
        ),
    }
}

/// Whether large pages are those of kexec_core, and the kernel maps them.
pub(super) const LARGE_PAGES: bool =
    cfg!(CONFIG_TRANSPARENT_HUGEPAGE) && bindings::PMD_SIZE == 2 << 20;

/// The number of the page frame at a physical address.
pub(super) fn page_number(address: u64) -> c_ulong {
    (address / PAGE_SIZE as u64) as c_ulong
}
