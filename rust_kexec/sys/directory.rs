// SPDX-License-Identifier: GPL-2.0

//! A directory below /sys/module/rust_kexec, with files that can be read.

use super::{
    bindings,
    slot::{
        Held,
        Slot, //
    }, //
};
use crate::compat::prelude::*;
use core::{
    ffi::CStr,
    fmt::{
        self,
        Write, //
    },
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    ffi::c_char,
    page::PAGE_SIZE, //
};

/// What the files say.
pub(crate) trait Files {
    /// Writes the text of the file with this number. May sleep.
    fn write(number: usize, text: &mut Text<'_>) -> Result;
}

/// The text of a file, up to a page.
pub(crate) struct Text<'a> {
    page: &'a mut [u8],
    len: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.checked_add(text.len()).ok_or(fmt::Error)?;
        let place = self.page.get_mut(self.len..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// A directory, for as long as this lives.
///
/// # Invariants
///
/// The pointer is the directory's, which is there until it is put.
pub(crate) struct Directory {
    kobject: NonNull<bindings::kobject>,
    _slot: Held,
}

// SAFETY: The pointer is only used to remove the directory, on any CPU.
unsafe impl Send for Directory {}
// SAFETY: As above.
unsafe impl Sync for Directory {}

/// So many files have room.
struct Fits<const N: usize>;

impl<const N: usize> Fits<N> {
    const CHECKED: () = assert!(N <= bindings::DIRECTORY_FILES_MAX as usize);
}

impl Directory {
    /// Creates the directory, with files that have these names and modes, numbered from 0 on.
    pub(crate) fn create<T: Files, const N: usize>(
        name: &CStr,
        files: [(&'static CStr, u16); N],
    ) -> Result<Self> {
        let () = Fits::<N>::CHECKED;
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: The slot is held, so that nobody reads files of a directory before.
        let kobject =
            unsafe { bindings::rust_kexec_create_directory(name.as_char_ptr(), Some(show::<T>)) };
        // INVARIANT: Just created. Dropping it removes the files that there are.
        let directory = Self {
            kobject: NonNull::new(kobject).ok_or(ENOMEM)?,
            _slot: slot,
        };
        for (number, (name, mode)) in files.into_iter().enumerate() {
            let (kobject, name) = (directory.kobject.as_ptr(), name.as_char_ptr());
            // SAFETY: The directory is there, and the name for ever; the number is below the limit.
            to_result(unsafe { bindings::rust_kexec_create_file(kobject, number, name, mode) })?;
        }
        Ok(directory)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let kobject = self.kobject.as_ptr();
        // SAFETY: By the type's invariant. Waits for those who read a file.
        unsafe { bindings::kobject_del(kobject) };
        // SAFETY: As above, and not used any more.
        unsafe { bindings::kobject_put(kobject) };
    }
}

/// # Safety
///
/// `page` must be a page that is the caller's.
unsafe extern "C" fn show<T: Files>(number: usize, page: *mut c_char) -> isize {
    // SAFETY: By this function's contract.
    let page = unsafe { core::slice::from_raw_parts_mut(page.cast::<u8>(), PAGE_SIZE) };
    let mut text = Text { page, len: 0 };
    match T::write(number, &mut text) {
        Ok(()) => text.len as isize,
        Err(error) => error.to_errno() as isize,
    }
}
