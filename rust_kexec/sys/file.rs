// SPDX-License-Identifier: GPL-2.0

//! Files that user space hands over, and files of the kernel's own in /proc and /sys.

use super::bindings;
use crate::compat::prelude::*;
use core::{
    ffi::CStr,
    ptr::{
        self,
        addr_of_mut,
        NonNull, //
    }, //
};
use kernel::{
    error::{
        from_err_ptr,
        Error, //
    },
    ffi::{
        c_int,
        c_void, //
    }, //
};

/// The purpose that a file is read for, by which the kernel's security modules judge.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// A kernel to be booted.
    Kernel,
    /// An initial RAM disk.
    Initrd,
    /// A detached signature of another file.
    Signature,
    /// The description of the machine for a kernel to be booted.
    DeviceTree,
}

impl Purpose {
    fn id(self) -> bindings::kernel_read_file_id {
        match self {
            Self::Kernel => bindings::kernel_read_file_id_READING_KEXEC_IMAGE,
            Self::Initrd => bindings::kernel_read_file_id_READING_KEXEC_INITRAMFS,
            Self::Signature | Self::DeviceTree => bindings::kernel_read_file_id_READING_UNKNOWN,
        }
    }
}

/// The whole contents of a file of user space's. They are read once, so that the bytes that are loaded
/// are those that were verified.
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

/// A mount of one of the kernel's own file systems that is in no mount namespace. Its files are the
/// kernel's own, also where the caller has mounted something over /proc, /sys or a file there, or has
/// mounted neither.
///
/// # Invariants
///
/// The pointer is a `struct vfsmount` of which this value has a reference.
pub(crate) struct Mount(NonNull<bindings::vfsmount>);

impl Mount {
    /// The file system of /proc. Its files about processes are those of the caller's PID namespace.
    pub(crate) fn proc() -> Result<Self> {
        Self::new(c"proc")
    }

    /// The file system of /sys.
    pub(crate) fn sysfs() -> Result<Self> {
        Self::new(c"sysfs")
    }

    fn new(file_system: &CStr) -> Result<Self> {
        let name = file_system.as_char_ptr();
        // SAFETY: The name is a string.
        let kind = NonNull::new(unsafe { bindings::get_fs_type(name) }).ok_or(ENODEV)?;
        let flags = bindings::SB_KERNMOUNT;
        // SAFETY: The kind is there until it is put back below; without options there are no data.
        let mount =
            unsafe { bindings::vfs_kern_mount(kind.as_ptr(), flags, name, ptr::null_mut()) };
        // SAFETY: get_fs_type() took a reference to the owner, which the mount has now.
        unsafe { bindings::rust_kexec_module_put(kind.as_ref().owner) };
        // INVARIANT: On success the callee hands over a reference.
        NonNull::new(from_err_ptr(mount)?).map(Self).ok_or(ENODEV)
    }

    /// Reads the start of the file at this path below the mount with the kernel's own credentials,
    /// as much as `buffer` holds, and returns what was read.
    pub(crate) fn read<'a>(&self, path: &CStr, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
        let file = self.open(path)?;
        let (mut len, mut offset) = (0, 0);
        while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
            let place = rest.as_mut_ptr().cast();
            // SAFETY: The file is open, and `rest` is writable in its whole length.
            let read =
                unsafe { bindings::kernel_read(file.0.as_ptr(), place, rest.len(), &mut offset) };
            match usize::try_from(read) {
                Ok(0) => break,
                Ok(read) => len += read,
                Err(_) => return Err(Error::from_errno(read as c_int)),
            }
        }
        buffer.get(..len).ok_or(EIO)
    }

    /// Opens the file at this path with the kernel's own credentials, whoever calls.
    fn open(&self, path: &CStr) -> Result<OpenFile> {
        // SAFETY: The first task is there for ever.
        let kernel = unsafe { bindings::prepare_kernel_cred(addr_of_mut!(bindings::init_task)) };
        if kernel.is_null() {
            return Err(ENOMEM);
        }
        let root = bindings::path {
            mnt: self.0.as_ptr(),
            // SAFETY: The mount is there by the type's invariant.
            dentry: unsafe { self.0.as_ref() }.mnt_root,
        };
        let flags = bindings::O_RDONLY as c_int;
        // SAFETY: The credentials are there until they are put back, when the caller has its own
        // again; the root and the path are valid for the call.
        let file = unsafe {
            let callers = bindings::rust_kexec_override_creds(kernel);
            let file = bindings::file_open_root(&root, path.as_char_ptr(), flags, 0);
            bindings::rust_kexec_revert_creds(callers);
            bindings::rust_kexec_put_cred(kernel);
            file
        };
        // INVARIANT: On success the callee hands over an open file.
        NonNull::new(from_err_ptr(file)?)
            .map(OpenFile)
            .ok_or(ENOENT)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant; the reference is given back once. A file that is still
        // being closed has its own.
        unsafe { bindings::mntput(self.0.as_ptr()) }
    }
}

/// A file that the kernel has opened.
///
/// # Invariants
///
/// The pointer is a `struct file` of which this value has the only reference.
struct OpenFile(NonNull<bindings::file>);

impl Drop for OpenFile {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant; no task has it among its open files.
        unsafe { bindings::filp_close(self.0.as_ptr(), ptr::null_mut()) };
    }
}
