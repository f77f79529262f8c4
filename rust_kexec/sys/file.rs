// SPDX-License-Identifier: GPL-2.0

//! Files: those that user space hands over, and those in which the kernel tells about itself.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;
use core::ptr::{self, NonNull};
use kernel::error::{to_result, Error};
use kernel::ffi::{c_int, c_void};

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
        let mut address = ptr::null_mut();
        // SAFETY: `address` receives a buffer that the callee allocates.
        let read = unsafe {
            bindings::kernel_read_file_from_fd(
                fd,
                0,
                &mut address,
                c_int::MAX as usize,
                ptr::null_mut(),
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
        // SAFETY: The buffer is vmalloc()'s and ours; bindings::vfree() takes null.
        unsafe { bindings::vfree(self.address) }
    }
}

/// A mount of one of the kernel's own file systems that is in nobody's mount namespace. What is read
/// below it is the kernel's word, whatever the caller has mounted over /proc, /sys or a file there,
/// and also where neither is mounted.
///
/// # Invariants
///
/// The pointer is a `struct vfsmount` of which this value has a reference.
pub(crate) struct Mount(NonNull<bindings::vfsmount>);

impl Mount {
    /// What people find below /proc. The files about processes, which it has as well, are those of
    /// the caller's PID namespace.
    pub(crate) fn proc() -> Result<Self> {
        Self::new(c"proc")
    }

    /// What people find below /sys.
    pub(crate) fn sysfs() -> Result<Self> {
        Self::new(c"sysfs")
    }

    fn new(file_system: &CStr) -> Result<Self> {
        let mut mount = ptr::null_mut();
        // SAFETY: The name is a string, and `mount` receives a pointer.
        to_result(unsafe { bindings::rust_kexec_mount(file_system.as_char_ptr(), &mut mount) })?;
        // INVARIANT: On success the callee hands over a reference.
        NonNull::new(mount).map(Self).ok_or(ENODEV)
    }

    /// Reads the start of the file at this path below the mount with the kernel's own credentials,
    /// as much as `buffer` holds, and returns what was read.
    pub(crate) fn read<'a>(&self, path: &CStr, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
        // SAFETY: The mount is there by the type's invariant; the other pointers are valid for the
        // call, the buffer for its length.
        let read = unsafe {
            bindings::rust_kexec_read_file(
                self.0.as_ptr(),
                path.as_char_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        };
        let len = usize::try_from(read).map_err(|_| Error::from_errno(read as c_int))?;
        buffer.get(..len).ok_or(EIO)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant; the reference is given back once. A file that is still
        // being closed has its own.
        unsafe { bindings::rust_kexec_unmount(self.0.as_ptr()) }
    }
}
