// SPDX-License-Identifier: GPL-2.0

//! The file below /proc that can be read, searched and mapped.

use super::bindings;
use super::page_fault::{Answer, PageFault};
use super::user_mapping::UserMapping;
use crate::compat::prelude::*;
use core::ffi::CStr;
use core::ptr::NonNull;

/// The operations of the file. Offsets are bytes from its start.
pub(crate) trait FileOperations: Send + Sync + 'static {
    /// Copies from `offset` on, and says how many bytes.
    fn read(&self, offset: u64, to: &mut Destination<'_>) -> Result<usize>;

    /// Finds the first hole, or data, from `offset` on.
    fn seek(&self, offset: u64, hole: bool) -> Option<u64>;

    /// Fills a mapping that a process makes.
    fn map(&self, area: &mut UserMapping<'_>) -> Result;

    /// Where within a large page a mapping of this part of the file should start.
    fn alignment(&self, offset: u64, len: u64) -> u64;

    /// A page at `offset` is accessed in a mapping.
    fn page_fault(&self, fault: PageFault<'_>, offset: u64) -> Answer;

    /// The same, where a large page at `offset` would fit the mapping.
    fn large_page_fault(&self, fault: PageFault<'_>, offset: u64) -> Answer;
}

/// A type whose operations C calls.
///
/// # Safety
///
/// For [`operations`] only.
pub(crate) unsafe trait Linked: FileOperations {}

/// Has the file call a type's [`FileOperations`]. Once in the module: C knows the functions by their
/// names.
macro_rules! operations {
    ($contents:ty) => {
        // SAFETY: The functions below, whose names can be defined once, are this type's.
        unsafe impl $crate::sys::proc_file::Linked for $contents {}

        /// The file is read at the position of `iocb`.
        ///
        /// # Safety
        ///
        /// `contents` must be what the file was created with; the others valid, and for this call
        /// alone.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_vmcore_read_iter(
            contents: *const $contents,
            iocb: *mut kernel::bindings::kiocb,
            iter: *mut kernel::bindings::iov_iter,
        ) -> isize {
            // SAFETY: By this function's contract.
            let (contents, iocb, iter) = unsafe { (&*contents, &mut *iocb, &mut *iter) };
            $crate::sys::proc_file::read_iter(contents, iocb, iter)
        }

        /// SEEK_HOLE, or SEEK_DATA, from an offset that is not negative.
        ///
        /// # Safety
        ///
        /// `contents` must be what the file was created with.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_vmcore_seek(
            contents: *const $contents,
            offset: u64,
            hole: bool,
        ) -> i64 {
            // SAFETY: By this function's contract.
            $crate::sys::proc_file::seek(unsafe { &*contents }, offset, hole)
        }

        /// The file is mapped into a process.
        ///
        /// # Safety
        ///
        /// `contents` must be what the file was created with, `vma` valid and locked for this call.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_vmcore_mmap(
            contents: *const $contents,
            vma: core::ptr::NonNull<$crate::sys::bindings::vm_area_struct>,
        ) -> kernel::ffi::c_int {
            // SAFETY: By this function's contract.
            let contents = unsafe { &*contents };
            // SAFETY: As above.
            let mut area = unsafe { $crate::sys::user_mapping::UserMapping::new(vma) };
            match $crate::sys::proc_file::FileOperations::map(contents, &mut area) {
                Ok(()) => 0,
                Err(error) => error.to_errno(),
            }
        }

        /// A mapping of a part of the file is looked for a place.
        ///
        /// # Safety
        ///
        /// `contents` must be what the file was created with.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_vmcore_alignment(
            contents: *const $contents,
            offset: u64,
            len: u64,
        ) -> u64 {
            // SAFETY: By this function's contract.
            let contents = unsafe { &*contents };
            $crate::sys::proc_file::FileOperations::alignment(contents, offset, len)
        }

        /// A page at `offset` of the file is accessed in a mapping.
        ///
        /// # Safety
        ///
        /// `contents` must be what the file was created with, `fault` what the kernel asks with, of a
        /// mapping of the file.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_vmcore_page_fault(
            contents: *const $contents,
            fault: core::ptr::NonNull<$crate::sys::bindings::vm_fault>,
            offset: u64,
        ) -> $crate::sys::page_fault::Answer {
            // SAFETY: By this function's contract.
            let contents = unsafe { &*contents };
            // SAFETY: As above.
            let fault = unsafe { $crate::sys::page_fault::PageFault::new(fault) };
            $crate::sys::proc_file::FileOperations::page_fault(contents, fault, offset)
        }

        /// The same, where a large page at `offset` of the file would fit the mapping.
        ///
        /// # Safety
        ///
        /// As for `rust_kexec_vmcore_page_fault`.
        #[no_mangle]
        unsafe extern "C" fn rust_kexec_vmcore_large_page_fault(
            contents: *const $contents,
            fault: core::ptr::NonNull<$crate::sys::bindings::vm_fault>,
            offset: u64,
        ) -> $crate::sys::page_fault::Answer {
            // SAFETY: By this function's contract.
            let contents = unsafe { &*contents };
            // SAFETY: As above.
            let fault = unsafe { $crate::sys::page_fault::PageFault::new(fault) };
            $crate::sys::proc_file::FileOperations::large_page_fault(contents, fault, offset)
        }
    };
}
pub(crate) use operations;

/// Reads as read(2) does.
pub(crate) fn read_iter(
    contents: &impl FileOperations,
    iocb: &mut bindings::kiocb,
    iter: &mut bindings::iov_iter,
) -> isize {
    match contents.read(iocb.ki_pos as u64, &mut Destination(iter)) {
        Ok(read) => {
            iocb.ki_pos += read as bindings::loff_t;
            read as isize
        }
        Err(error) => error.to_errno() as isize,
    }
}

/// Searches as lseek(2) does.
pub(crate) fn seek(contents: &impl FileOperations, offset: u64, hole: bool) -> i64 {
    match contents.seek(offset, hole) {
        Some(found) => found as i64,
        None => ENXIO.to_errno().into(),
    }
}

/// A file below /proc that only root can read.
///
/// # Invariants
///
/// The entry is registered with the address of `_contents`.
pub(crate) struct ProcFile<T> {
    entry: NonNull<bindings::proc_dir_entry>,
    // Dropped after the entry was removed.
    _contents: Pin<KBox<T>>,
}

// SAFETY: The entry is removed once, by whichever task drops the value.
unsafe impl<T: Send> Send for ProcFile<T> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<T> Sync for ProcFile<T> {}

impl<T: Linked> ProcFile<T> {
    /// Creates the file.
    pub(crate) fn create(name: &CStr, size: u64, contents: Pin<KBox<T>>) -> Result<Self> {
        let address: *const T = &*contents;
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

impl<T> Drop for ProcFile<T> {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant. Waits for readers that are inside the file.
        unsafe { bindings::rust_kexec_remove_vmcore(self.entry.as_ptr()) }
    }
}

/// Lets others run that wait for this CPU. Says whether the reader is being killed.
pub(crate) fn pause() -> bool {
    // SAFETY: The caller is a system call that holds no lock.
    unsafe { bindings::rust_kexec_pause() }
}

/// Where a read copies to.
pub(crate) struct Destination<'a>(&'a mut bindings::iov_iter);

impl Destination<'_> {
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
