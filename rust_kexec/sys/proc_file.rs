// SPDX-License-Identifier: GPL-2.0

//! The file below /proc. Its callbacks are in `crate::vmcore`, and get a pointer to what it was created
//! with.

use super::bindings;
use crate::compat::prelude::*;
use crate::vmcore::file::Vmcore;
use core::ffi::CStr;
use core::ptr::NonNull;

/// A file below /proc that only root can read.
///
/// # Invariants
///
/// The entry is registered with the address of `_contents`.
pub(crate) struct ProcFile {
    entry: NonNull<bindings::proc_dir_entry>,
    // Dropped after the entry was removed.
    _contents: Pin<KBox<Vmcore>>,
}

// SAFETY: The entry is removed once, by whichever task drops the value.
unsafe impl Send for ProcFile {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl Sync for ProcFile {}

impl ProcFile {
    /// Creates the file.
    pub(crate) fn create(name: &CStr, size: u64, contents: Pin<KBox<Vmcore>>) -> Result<Self> {
        let address: *const Vmcore = &*contents;
        // SAFETY: The name lives for the call; procfs copies it. The contents are pinned, and
        // outlive the entry.
        let entry = unsafe {
            bindings::rust_kexec_create_vmcore(name.as_char_ptr(), size, address.cast_mut().cast())
        };
        // INVARIANT: The entry is registered when there is one.
        let entry = NonNull::new(entry).ok_or(ENOMEM)?;
        Ok(Self {
            entry,
            _contents: contents,
        })
    }
}

impl Drop for ProcFile {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant. Waits for readers that are inside the file.
        unsafe { bindings::rust_kexec_remove_vmcore(self.entry.as_ptr()) }
    }
}

/// Lets others run who wait for this CPU. Says whether the reader is being killed.
pub(crate) fn pause() -> bool {
    // SAFETY: The caller is a system call that holds no lock.
    unsafe { bindings::rust_kexec_pause() }
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
        unsafe { bindings::rust_kexec_iter_count(self.0) }
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

    /// Writes up to `len` zeros, and says how many.
    pub(crate) fn zero(&mut self, len: usize) -> usize {
        // SAFETY: As in `copy_from`.
        unsafe { bindings::iov_iter_zero(len, self.0) }
    }
}
