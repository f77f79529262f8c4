// SPDX-License-Identifier: GPL-2.0

//! A mapping of a file into a process, while it is being made.

use super::bindings;
use crate::compat::prelude::*;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::ffi::c_int;
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
        // SAFETY: By the type's invariant.
        unsafe { bindings::rust_kexec_vma_len(self.0.as_ptr()) }
    }

    /// From where on in the file, in bytes, if a number can tell.
    pub(crate) fn offset(&self) -> Option<u64> {
        // SAFETY: By the type's invariant.
        let page = unsafe { bindings::rust_kexec_vma_first_page(self.0.as_ptr()) };
        page.checked_mul(PAGE_SIZE as u64)
    }

    /// Whether the process asks for more than reading.
    pub(crate) fn is_writable_or_executable(&self) -> bool {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rust_kexec_vma_is_writable_or_executable(self.0.as_ptr()) }
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
        let start = unsafe {
            match bindings::rust_kexec_vma_has_large_pages(self.0.as_ptr()) {
                true => Some(bindings::rust_kexec_vma_start(self.0.as_ptr())),
                false => None,
            }
        };
        large_part(memory, start?.checked_add(at)?)
    }

    /// Maps physical memory, in whole pages that are not RAM of this kernel's own, to `at` bytes
    /// behind the mapping's start.
    pub(crate) fn map_memory(&mut self, at: u64, memory: Range) -> Result {
        self.check_inside(at, memory.len())?;
        // SAFETY: By the type's invariant; the pages are inside the mapping, and not mapped yet.
        check(unsafe {
            bindings::rust_kexec_vma_map_memory(self.0.as_ptr(), at, memory.start(), memory.len())
        })
    }

    /// Maps `len` bytes of zeros, in whole pages, to `at` bytes behind the mapping's start.
    pub(crate) fn map_zeros(&mut self, at: u64, len: u64) -> Result {
        self.check_inside(at, len)?;
        // SAFETY: As in `map_memory`.
        check(unsafe { bindings::rust_kexec_vma_map_zeros(self.0.as_ptr(), at, len) })
    }

    /// Maps pages of vmalloc()ed memory, to `at` bytes behind the mapping's start. The process
    /// keeps the pages for as long as it has them mapped.
    pub(crate) fn map_pages(&mut self, at: u64, bytes: &[u8]) -> Result {
        for (index, page) in bytes.chunks(PAGE_SIZE).enumerate() {
            let at = at + (index * PAGE_SIZE) as u64;
            // SAFETY: By the type's invariant; the kernel finds the page by its address, and checks
            // that it is inside the mapping.
            check(unsafe {
                bindings::rust_kexec_vma_map_page(self.0.as_ptr(), at, page.as_ptr().cast())
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

fn check(result: c_int) -> Result {
    match result {
        0 => Ok(()),
        // What mmap(2) says where page tables cannot be had.
        _ => Err(EAGAIN),
    }
}
