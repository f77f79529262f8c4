// SPDX-License-Identifier: GPL-2.0

//! A mapping of a file into a process, while it is being made.

use super::bindings;
use crate::compat::prelude::*;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use kernel::ffi::{c_int, c_ulong, c_void};
use kernel::page::PAGE_SIZE;
use kexec_core::dump::vmcore::large_pages::large_part;
use kexec_core::types::ranges::Range;

/// A mapping that nothing is in yet.
///
/// # Invariants
///
/// It points to a struct vm_area_struct that is valid, and nobody else's, for `'a`.
pub(crate) struct UserMapping<'a>(
    NonNull<bindings::vm_area_struct>,
    PhantomData<&'a mut bindings::vm_area_struct>,
);

impl UserMapping<'_> {
    /// Wraps the kernel's structure.
    ///
    /// # Safety
    ///
    /// `vma` must be valid, and used by nobody else, while the value lives.
    pub(crate) unsafe fn new(vma: NonNull<bindings::vm_area_struct>) -> Self {
        // INVARIANT: The caller vouches for it.
        Self(vma, PhantomData)
    }

    /// How many bytes are to be mapped, in whole pages.
    pub(crate) fn len(&self) -> u64 {
        // SAFETY: By the type's invariant. The union's other part is for areas that are gone.
        let place = unsafe { self.0.as_ref().__bindgen_anon_1.__bindgen_anon_1 };
        (place.vm_end - place.vm_start) as u64
    }

    /// The address of its first byte.
    fn start(&self) -> u64 {
        // SAFETY: As in `len`.
        unsafe { self.0.as_ref().__bindgen_anon_1.__bindgen_anon_1 }.vm_start as u64
    }

    /// From where on in the file, in bytes, if a number can tell.
    pub(crate) fn offset(&self) -> Option<u64> {
        // SAFETY: By the type's invariant.
        let page = unsafe { self.0.as_ref() }.vm_pgoff as u64;
        page.checked_mul(PAGE_SIZE as u64)
    }

    /// Whether the process asks for more than reading.
    pub(crate) fn is_writable_or_executable(&self) -> bool {
        // SAFETY: By the type's invariant. The union's parts are one and the same.
        let flags = unsafe { self.0.as_ref().__bindgen_anon_2.vm_flags };
        flags & bindings::VM_WRITE_OR_EXEC != 0
    }

    /// Sees to it that mprotect(2) cannot ask for more later. Only where the mapping is of physical
    /// memory `alone` can parts be left to the first access.
    pub(crate) fn keep_read_only(&mut self, alone: bool) {
        let vma = self.0.as_ptr();
        // SAFETY: By the type's invariant.
        unsafe {
            match alone {
                true => bindings::rust_kexec_vma_keep_read_only_memory(vma),
                false => bindings::rust_kexec_vma_keep_read_only_mixed(vma),
            }
        }
    }

    /// The part of `memory`, which is to be at `at` bytes behind the mapping's start, that the
    /// first accesses can map with large pages.
    pub(crate) fn large_part(&self, at: u64, memory: Range) -> Option<Range> {
        // SAFETY: By the type's invariant.
        match unsafe { bindings::rust_kexec_vma_has_large_pages(self.0.as_ptr()) } {
            true => large_part(memory, self.start().checked_add(at)?),
            false => None,
        }
    }

    /// Maps physical memory, in whole pages that are not RAM of this kernel's own, to `at` bytes
    /// behind the mapping's start.
    pub(crate) fn map_memory(&mut self, at: u64, memory: Range) -> Result {
        self.check_inside(at, memory.len())?;
        let (vma, first) = (self.0.as_ptr(), page_number(memory.start()));
        if memory.len() != self.len() {
            return self.map_frames(at, memory.len(), first, 1);
        }
        // remap_pfn_range() for whole areas only: where it maps but a part of one, x86 has it look every
        // page up, takes those for uncached that nobody else has mapped, and fails where there are
        // both.
        let (start, len) = (self.start() as c_ulong, memory.len() as c_ulong);
        // SAFETY: By the type's invariant; the pages are inside the mapping, and not mapped yet.
        check(unsafe { bindings::remap_pfn_range(vma, start, first, len, (*vma).vm_page_prot) })
    }

    /// Maps `len` bytes of zeros, in whole pages, to `at` bytes behind the mapping's start.
    pub(crate) fn map_zeros(&mut self, at: u64, len: u64) -> Result {
        self.check_inside(at, len)?;
        // SAFETY: Looks a page up that the kernel always has.
        self.map_frames(at, len, unsafe { bindings::rust_kexec_zero_frame() }, 0)
    }

    /// Maps `len` bytes of page frames from `first` on, each `step` behind the one before.
    fn map_frames(&mut self, at: u64, len: u64, first: c_ulong, step: c_ulong) -> Result {
        // SAFETY: By the type's invariant.
        let (memory_map, protection) = unsafe {
            let vma = self.0.as_ref();
            (vma.vm_mm, vma.vm_page_prot)
        };
        let mut frames = Frames {
            memory_map,
            protection,
            next: first,
            step,
        };
        let start = (self.start() + at) as c_ulong;
        let context = ptr::from_mut(&mut frames).cast();
        // SAFETY: By the type's invariant; the pages are inside the mapping, and not mapped yet. The
        // function gets its own context.
        check(unsafe {
            bindings::apply_to_page_range(
                memory_map,
                start,
                len as c_ulong,
                Some(map_frame),
                context,
            )
        })
    }

    /// Maps pages of vmalloc()ed memory, to `at` bytes behind the mapping's start. The process
    /// keeps the pages for as long as it has them mapped.
    pub(crate) fn map_pages(&mut self, at: u64, bytes: &[u8]) -> Result {
        for (index, page) in bytes.chunks(PAGE_SIZE).enumerate() {
            let at = at + (index * PAGE_SIZE) as u64;
            // SAFETY: By the type's invariant; the kernel finds the page by its address, and checks
            // that it is inside the mapping.
            check(unsafe {
                let page = bindings::vmalloc_to_page(page.as_ptr().cast());
                bindings::vm_insert_page(self.0.as_ptr(), (self.start() + at) as c_ulong, page)
            })?;
        }
        Ok(())
    }

    /// Refuses what is not one or more whole pages inside the mapping.
    fn check_inside(&self, at: u64, len: u64) -> Result {
        let in_pages = (at | len) % PAGE_SIZE as u64 == 0;
        match at.checked_add(len) {
            Some(end) if in_pages && len > 0 && end <= self.len() => Ok(()),
            _ => Err(EINVAL),
        }
    }
}

/// The number of the page frame at a physical address.
pub(super) fn page_number(address: u64) -> c_ulong {
    (address / PAGE_SIZE as u64) as c_ulong
}

/// What is being mapped.
struct Frames {
    memory_map: *mut bindings::mm_struct,
    protection: bindings::pgprot_t,
    next: c_ulong,
    step: c_ulong,
}

/// Has an entry of a page table map the next frame.
///
/// # Safety
///
/// `frames` must point to [`Frames`], and `entry` be that of `address` in the process's tables, with
/// their lock held.
unsafe extern "C" fn map_frame(
    entry: *mut bindings::pte_t,
    address: c_ulong,
    frames: *mut c_void,
) -> c_int {
    // SAFETY: By this function's contract.
    let frames = unsafe { &mut *frames.cast::<Frames>() };
    let (frame, protection) = (frames.next, frames.protection);
    // SAFETY: As above.
    unsafe { bindings::rust_kexec_set_pte(frames.memory_map, address, entry, frame, protection) };
    frames.next += frames.step;
    0
}

fn check(result: c_int) -> Result {
    match result {
        0 => Ok(()),
        // What mmap(2) says where page tables cannot be had.
        _ => Err(EAGAIN),
    }
}
