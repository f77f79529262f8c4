// SPDX-License-Identifier: GPL-2.0

//! A part of a file that does not change, mapped to be read.

use std::{
    ffi::c_void,
    mem::ManuallyDrop,
    num::NonZeroUsize,
    os::fd::AsFd,
    path::Path,
    ptr::NonNull, //
};

use nix::{
    errno::Errno,
    libc::off_t,
    sys::mman::{
        mmap,
        mprotect,
        munmap,
        MapFlags,
        ProtFlags, //
    }, //
};

use crate::{
    arguments,
    report::Failure, //
};

/// A readable mapping, unmapped when it is dropped.
///
/// # Invariants
///
/// `[base, base + len)` is mapped readable for this value alone, and nobody writes to what it
/// shows.
#[derive(Debug)]
pub struct FileMapping {
    base: NonNull<c_void>,
    len: NonZeroUsize,
}

impl FileMapping {
    /// Maps `len` bytes of `file` from `offset`, with `MAP_SHARED` or `MAP_PRIVATE`.
    ///
    /// # Safety
    ///
    /// The file's contents must not change, nor may the file get shorter, as long as the value
    /// lives. A dump's do not.
    pub unsafe fn new(
        file: impl AsFd,
        offset: off_t,
        len: NonZeroUsize,
        flags: MapFlags,
    ) -> nix::Result<Self> {
        // SAFETY: Without MAP_FIXED the kernel chooses addresses that nothing uses.
        let base = unsafe { mmap(None, len, ProtFlags::PROT_READ, flags, file, offset) }?;
        // INVARIANT: It was mapped just now; the caller vouches for the contents.
        Ok(Self { base, len })
    }

    /// Maps the first `len` bytes of a file.
    ///
    /// # Safety
    ///
    /// As for [`FileMapping::new`].
    pub unsafe fn of_path(path: &Path, len: NonZeroUsize) -> Result<Self, Failure> {
        let file = arguments::open(path)?;
        // SAFETY: By this function's contract.
        unsafe { Self::new(file, 0, len, MapFlags::MAP_PRIVATE) }
            .map_err(|errno| Failure::errno(format_args!("cannot map {}", path.display()), errno))
    }

    /// What is mapped.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: By the type's invariant.
        unsafe { std::slice::from_raw_parts(self.base.cast().as_ptr(), self.len.get()) }
    }

    /// Unmaps the first `len` bytes, fewer than there are and in whole pages.
    pub fn without_front(self, len: NonZeroUsize) -> Result<Self, Errno> {
        let rest = self.len.get().checked_sub(len.get());
        let rest = rest.and_then(NonZeroUsize::new).ok_or(Errno::EINVAL)?;
        let whole = ManuallyDrop::new(self);
        // SAFETY: By the type's invariant this range is ours alone, and `whole` is not used again.
        unsafe { munmap(whole.base, len.get()) }?;
        // SAFETY: `len` is less than the mapping has.
        let base = unsafe { whole.base.byte_add(len.get()) };
        // INVARIANT: What is left is still mapped, for the new value alone.
        Ok(Self { base, len: rest })
    }

    /// What mprotect(2) answers who asks for more than reading. A mapping that can be written to
    /// after all is given back to the type's invariant by nobody having done so.
    pub fn protect(&self, protection: ProtFlags) -> Result<(), Errno> {
        // SAFETY: The pages stay readable, and nothing writes to them.
        unsafe { mprotect(self.base, self.len.get(), protection | ProtFlags::PROT_READ) }
    }
}

impl Drop for FileMapping {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant this range is ours alone, and nothing borrows from a
        // value that is dropped. It fails only for arguments that the invariant excludes.
        let _ = unsafe { munmap(self.base, self.len.get()) };
    }
}
