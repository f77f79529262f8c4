// SPDX-License-Identifier: GPL-2.0

//! A mapping of a file into a process, while it is being made.

use crate::compat::prelude::*;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::ffi::{c_int, c_void};
use kernel::page::PAGE_SIZE;
use kexec_core::ranges::Range;

extern "C" {
    fn rust_kexec_vma_len(vma: *const c_void) -> u64;
    fn rust_kexec_vma_first_page(vma: *const c_void) -> u64;
    fn rust_kexec_vma_is_writable_or_executable(vma: *const c_void) -> bool;
    fn rust_kexec_vma_keep_read_only(vma: *mut c_void);
    fn rust_kexec_vma_map_memory(vma: *mut c_void, at: u64, address: u64, len: u64) -> c_int;
    fn rust_kexec_vma_map_zero_page(vma: *mut c_void, at: u64) -> c_int;
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

    /// Sees to it that mprotect(2) cannot ask for more later.
    pub(crate) fn keep_read_only(&mut self) {
        // SAFETY: By the type's invariant.
        unsafe { rust_kexec_vma_keep_read_only(self.0.as_ptr()) }
    }

    /// Maps physical memory, in whole pages that are not RAM of this kernel's own, to `at` bytes
    /// behind the mapping's start.
    pub(crate) fn map_memory(&mut self, at: u64, memory: Range) -> Result {
        // SAFETY: By the type's invariant; the kernel checks that the pages are inside.
        check(unsafe {
            rust_kexec_vma_map_memory(self.0.as_ptr(), at, memory.start(), memory.len())
        })
    }

    /// Maps `len` bytes of zeros, in whole pages, to `at` bytes behind the mapping's start.
    pub(crate) fn map_zeros(&mut self, at: u64, len: u64) -> Result {
        for page in (0..len).step_by(PAGE_SIZE) {
            // SAFETY: As in `map_memory`.
            check(unsafe { rust_kexec_vma_map_zero_page(self.0.as_ptr(), at + page) })?;
        }
        Ok(())
    }

    /// Maps pages of vmalloc()ed memory, to `at` bytes behind the mapping's start. The process
    /// keeps the pages for as long as it has them mapped.
    pub(crate) fn map_pages(&mut self, at: u64, bytes: &[u8]) -> Result {
        for (index, page) in bytes.chunks(PAGE_SIZE).enumerate() {
            let at = at + (index * PAGE_SIZE) as u64;
            // SAFETY: As in `map_memory`; the kernel finds the page by its address.
            check(unsafe { rust_kexec_vma_map_page(self.0.as_ptr(), at, page.as_ptr().cast()) })?;
        }
        Ok(())
    }
}

fn check(result: c_int) -> Result {
    match result {
        0 => Ok(()),
        // What mmap(2) says where page tables cannot be had.
        _ => Err(EAGAIN),
    }
}
