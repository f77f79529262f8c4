// SPDX-License-Identifier: GPL-2.0

//! A mapping of a file into a process, while it is being made.

use crate::compat::prelude::*;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::ffi::{c_int, c_void};
use kernel::page::PAGE_SIZE;
use kexec_core::dump::vmcore::large_pages::large_part;
use kexec_core::types::ranges::Range;

extern "C" {
    fn rust_kexec_vma_start(vma: *const c_void) -> u64;
    fn rust_kexec_vma_len(vma: *const c_void) -> u64;
    fn rust_kexec_vma_first_page(vma: *const c_void) -> u64;
    fn rust_kexec_vma_is_writable_or_executable(vma: *const c_void) -> bool;
    fn rust_kexec_vma_keep_read_only_mixed(vma: *mut c_void);
    fn rust_kexec_vma_keep_read_only_memory(vma: *mut c_void);
    fn rust_kexec_vma_has_large_pages(vma: *const c_void) -> bool;
    fn rust_kexec_vma_map_memory(vma: *mut c_void, at: u64, address: u64, len: u64) -> c_int;
    fn rust_kexec_vma_map_zeros(vma: *mut c_void, at: u64, len: u64) -> c_int;
    fn rust_kexec_vma_map_page(vma: *mut c_void, at: u64, page: *const c_void) -> c_int;
}

/// A mapping that nothing is in yet.
///
/// # Invariants
///
/// It points to a struct vm_area_struct that is valid, and nobody else's, for `'a`.
pub(crate) struct UserMapping<'a>(NonNull<c_void>, PhantomData<&'a mut c_void>);

impl UserMapping<'_> {
    /// Wraps the kernel's structure.
    ///
    /// # Safety
    ///
    /// `vma` must be valid, and used by nobody else, while the value lives.
    pub(crate) unsafe fn new(vma: NonNull<c_void>) -> Self {
        // INVARIANT: The caller vouches for it.
        Self(vma, PhantomData)
    }

    /// How many bytes are to be mapped, in whole pages.
    pub(crate) fn len(&self) -> u64 {
        // SAFETY: By the type's invariant.
        unsafe { rust_kexec_vma_len(self.0.as_ptr()) }
    }

    /// From where on in the file, in bytes, if a number can tell.
    pub(crate) fn offset(&self) -> Option<u64> {
        // SAFETY: By the type's invariant.
        let page = unsafe { rust_kexec_vma_first_page(self.0.as_ptr()) };
        page.checked_mul(PAGE_SIZE as u64)
    }

    /// Whether the process asks for more than reading.
    pub(crate) fn is_writable_or_executable(&self) -> bool {
        // SAFETY: By the type's invariant.
        unsafe { rust_kexec_vma_is_writable_or_executable(self.0.as_ptr()) }
    }

    /// Sees to it that mprotect(2) cannot ask for more later. Only where the mapping is of physical
    /// memory `alone` can parts be left to the first access.
    pub(crate) fn keep_read_only(&mut self, alone: bool) {
        let vma = self.0.as_ptr();
        // SAFETY: By the type's invariant.
        unsafe {
            match alone {
                true => rust_kexec_vma_keep_read_only_memory(vma),
                false => rust_kexec_vma_keep_read_only_mixed(vma),
            }
        }
    }

    /// The part of `memory`, which is to be at `at` bytes behind the mapping's start, that the
    /// first accesses can map with large pages.
    pub(crate) fn large_part(&self, at: u64, memory: Range) -> Option<Range> {
        // SAFETY: By the type's invariant.
        let start = unsafe {
            match rust_kexec_vma_has_large_pages(self.0.as_ptr()) {
                true => Some(rust_kexec_vma_start(self.0.as_ptr())),
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
            rust_kexec_vma_map_memory(self.0.as_ptr(), at, memory.start(), memory.len())
        })
    }

    /// Maps `len` bytes of zeros, in whole pages, to `at` bytes behind the mapping's start.
    pub(crate) fn map_zeros(&mut self, at: u64, len: u64) -> Result {
        self.check_inside(at, len)?;
        // SAFETY: As in `map_memory`.
        check(unsafe { rust_kexec_vma_map_zeros(self.0.as_ptr(), at, len) })
    }

    /// Maps pages of vmalloc()ed memory, to `at` bytes behind the mapping's start. The process
    /// keeps the pages for as long as it has them mapped.
    pub(crate) fn map_pages(&mut self, at: u64, bytes: &[u8]) -> Result {
        for (index, page) in bytes.chunks(PAGE_SIZE).enumerate() {
            let at = at + (index * PAGE_SIZE) as u64;
            // SAFETY: By the type's invariant; the kernel finds the page by its address, and checks
            // that it is inside the mapping.
            check(unsafe { rust_kexec_vma_map_page(self.0.as_ptr(), at, page.as_ptr().cast()) })?;
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
