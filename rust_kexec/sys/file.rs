// SPDX-License-Identifier: GPL-2.0

//! Files: those that user space hands over, and the kernel's own below /proc and /sys.

use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::bindings;
use kernel::error::Error;
use kernel::ffi::{c_char, c_int, c_void};

/// What a file is read for; the kernel's security modules judge by it.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// A kernel to be booted.
    Kernel,
    /// An initial RAM disk.
    Initrd,
    /// A detached signature of another file.
    Signature,
}

impl Purpose {
    fn id(self) -> bindings::kernel_read_file_id {
        match self {
            Self::Kernel => bindings::kernel_read_file_id_READING_KEXEC_IMAGE,
            Self::Initrd => bindings::kernel_read_file_id_READING_KEXEC_INITRAMFS,
            Self::Signature => bindings::kernel_read_file_id_READING_UNKNOWN,
        }
    }
}

/// The whole contents of a file of user space's, read once, so that what was verified is what is
/// loaded.
///
/// # Invariants
///
/// `address` points to `len` bytes from vmalloc() that nobody else has, or is null with `len` 0.
pub(crate) struct FileContents {
    address: *mut c_void,
    len: usize,
}

impl FileContents {
    /// Reads the file that the current process has open as `fd`.
    pub(crate) fn read(fd: c_int, purpose: Purpose) -> Result<Self> {
        let mut address = core::ptr::null_mut();
        // SAFETY: `address` receives a buffer that the callee allocates.
        let read = unsafe {
            bindings::kernel_read_file_from_fd(
                fd,
                0,
                &mut address,
                c_int::MAX as usize,
                core::ptr::null_mut(),
                purpose.id(),
            )
        };
        // INVARIANT: On success the callee leaves a buffer of that many bytes, on failure none.
        match usize::try_from(read) {
            Ok(len) => Ok(Self { address, len }),
            Err(_) => Err(Error::from_errno(read as c_int)),
        }
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.address.is_null() {
            return &[];
        }
        // SAFETY: By the type's invariant.
        unsafe { core::slice::from_raw_parts(self.address.cast(), self.len) }
    }
}

impl Drop for FileContents {
    fn drop(&mut self) {
        extern "C" {
            fn vfree(address: *const c_void);
        }
        // SAFETY: The buffer is vmalloc()'s and ours; vfree() takes null.
        unsafe { vfree(self.address) }
    }
}

extern "C" {
    fn rust_kexec_read_file(path: *const c_char, buffer: *mut c_void, len: usize) -> isize;
}

/// Reads the start of a file below /proc or /sys with the kernel's own credentials, as much as
/// `buffer` holds, and returns what was read.
pub(crate) fn read_path<'a>(path: &CStr, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    // SAFETY: Both pointers are valid for the call, the buffer for its length.
    let read = unsafe {
        rust_kexec_read_file(path.as_char_ptr(), buffer.as_mut_ptr().cast(), buffer.len())
    };
    let len = usize::try_from(read).map_err(|_| Error::from_errno(read as c_int))?;
    buffer.get(..len).ok_or(EIO)
}
