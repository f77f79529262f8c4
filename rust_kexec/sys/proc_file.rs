// SPDX-License-Identifier: GPL-2.0

//! The file below /proc. Its reads arrive in `crate::vmcore::file`.

use crate::compat::prelude::*;
use core::ffi::CStr;
use core::ptr::NonNull;
use kernel::bindings;
use kernel::ffi::{c_char, c_void};

extern "C" {
    fn rust_kexec_create_vmcore(name: *const c_char, size: u64) -> *mut c_void;
    fn rust_kexec_remove_vmcore(entry: *mut c_void);
    fn rust_kexec_iter_count(iter: *const bindings::iov_iter) -> usize;
}

/// A file below /proc that only root can read.
///
/// # Invariants
///
/// The entry is registered.
pub(crate) struct ProcFile(NonNull<c_void>);

// SAFETY: The entry is removed once, by whichever task drops the value.
unsafe impl Send for ProcFile {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl Sync for ProcFile {}

impl ProcFile {
    /// Creates the file.
    pub(crate) fn create(name: &CStr, size: u64) -> Result<Self> {
        // SAFETY: The name lives for the call; procfs copies it.
        let entry = unsafe { rust_kexec_create_vmcore(name.as_ptr().cast(), size) };
        // INVARIANT: The entry is registered when there is one.
        NonNull::new(entry).map(Self).ok_or(ENOMEM)
    }
}

impl Drop for ProcFile {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant. Waits for readers that are inside the file.
        unsafe { rust_kexec_remove_vmcore(self.0.as_ptr()) }
    }
}

/// Where a read copies to.
pub(crate) struct Destination<'a>(&'a mut bindings::iov_iter);

impl<'a> Destination<'a> {
    /// Wraps the kernel's iterator.
    pub(crate) fn new(iter: &'a mut bindings::iov_iter) -> Self {
        Self(iter)
    }

    /// How many bytes the reader still wants.
    pub(crate) fn wanted(&self) -> usize {
        // SAFETY: Reads a variable; the kernel's iterator is valid.
        unsafe { rust_kexec_iter_count(self.0) }
    }

    /// Copies up to `len` bytes from `from`, and says how many.
    ///
    /// # Safety
    ///
    /// `from` must be readable for `len` bytes.
    pub(crate) unsafe fn copy_from(&mut self, from: *const u8, len: usize) -> usize {
        // SAFETY: The iterator is the kernel's own; the caller vouches for the source. The copy
        // stops at an address of the reader's that it cannot access.
        unsafe { bindings::_copy_to_iter(from.cast(), len, self.0) }
    }
}
