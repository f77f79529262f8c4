// SPDX-License-Identifier: GPL-2.0

//! The file below /proc that can be read, searched and mapped.

use super::{
    bindings,
    page_fault::{
        page_number,
        FaultOperations, //
    },
    user_mapping::UserMapping, //
};
use crate::compat::prelude::*;
use core::{
    ffi::CStr,
    mem::zeroed,
    ptr::{
        self,
        NonNull, //
    }, //
};
use kernel::{
    ffi::{
        c_int,
        c_ulong, //
    },
    page::PAGE_SIZE, //
};

/// The operations of the file. Offsets are bytes from its start.
pub(crate) trait FileOperations: FaultOperations {
    /// Copies from `offset` on, and says how many bytes.
    fn read(&self, offset: u64, to: &mut Destination<'_>) -> Result<usize>;

    /// Finds the first hole, or data, from `offset` on.
    fn seek(&self, offset: u64, hole: bool) -> Option<u64>;

    /// Fills a mapping that a process makes.
    fn map(&self, area: &mut UserMapping<'_>) -> Result;

    /// Where within a large page a mapping of this part of the file should start.
    fn alignment(&self, offset: u64, len: u64) -> u64;
}

/// procfs's table of a type's operations.
trait ProcOperations: FileOperations + Sized {
    const TABLE: &'static bindings::proc_ops = &bindings::proc_ops {
        proc_read_iter: Some(read_iter::<Self>),
        proc_lseek: Some(lseek::<Self>),
        proc_mmap: Some(mmap::<Self>),
        proc_get_unmapped_area: match cfg!(CONFIG_TRANSPARENT_HUGEPAGE) {
            true => Some(get_unmapped_area::<Self>),
            false => None,
        },
        // SAFETY: Zeros stand for operations that are not there.
        ..unsafe { zeroed() }
    };
}

impl<T: FileOperations> ProcOperations for T {}

/// The contents that a file was created with: pde_data().
///
/// # Safety
///
/// `file` must be a file of `T` that is in use, for `'a`.
unsafe fn contents<'a, T: FileOperations>(file: *const bindings::file) -> &'a T {
    // SAFETY: By this function's contract.
    unsafe { &*(*(*file).f_inode).i_private.cast() }
}

/// The file is read at the position of `iocb`.
///
/// # Safety
///
/// To be called by procfs.
unsafe extern "C" fn read_iter<T: FileOperations>(
    iocb: *mut bindings::kiocb,
    iter: *mut bindings::iov_iter,
) -> isize {
    // SAFETY: By this function's contract both are for this call alone.
    let (iocb, iter) = unsafe { (&mut *iocb, &mut *iter) };
    // SAFETY: By this function's contract.
    let contents: &T = unsafe { contents(iocb.ki_filp) };
    match contents.read(iocb.ki_pos as u64, &mut Destination(iter)) {
        Ok(read) => {
            iocb.ki_pos += read as bindings::loff_t;
            read as isize
        }
        Err(error) => error.to_errno() as isize,
    }
}

/// The position is changed.
///
/// # Safety
///
/// To be called by procfs.
unsafe extern "C" fn lseek<T: FileOperations>(
    file: *mut bindings::file,
    offset: bindings::loff_t,
    whence: c_int,
) -> bindings::loff_t {
    let hole = match whence as u32 {
        bindings::SEEK_HOLE => true,
        bindings::SEEK_DATA => false,
        // SAFETY: By this function's contract.
        _ => return unsafe { bindings::default_llseek(file, offset, whence) },
    };
    // SAFETY: By this function's contract.
    let contents: &T = unsafe { contents(file) };
    let found = u64::try_from(offset)
        .ok()
        .and_then(|offset| contents.seek(offset, hole));
    match found {
        // SAFETY: By this function's contract; i_size_read() is a plain access on 64-bit machines.
        Some(found) => unsafe {
            bindings::vfs_setpos(file, found as bindings::loff_t, (*(*file).f_inode).i_size)
        },
        None => ENXIO.to_errno().into(),
    }
}

/// The file is mapped into a process.
///
/// # Safety
///
/// To be called by procfs.
unsafe extern "C" fn mmap<T: FileOperations>(
    file: *mut bindings::file,
    vma: *mut bindings::vm_area_struct,
) -> c_int {
    // SAFETY: By this function's contract; the area is locked for this call.
    let mapped = unsafe {
        let contents: &T = contents(file);
        UserMapping::new(vma, contents).and_then(|mut area| contents.map(&mut area))
    };
    match mapped {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// A mapping is looked for a place: for an address that fits the memory where the file's offset does
/// not.
///
/// # Safety
///
/// To be called by procfs.
unsafe extern "C" fn get_unmapped_area<T: FileOperations>(
    file: *mut bindings::file,
    address: c_ulong,
    len: c_ulong,
    page: c_ulong,
    flags: c_ulong,
) -> c_ulong {
    // SAFETY: By this function's contract.
    let contents: &T = unsafe { contents(file) };
    let offset = (page as u64).wrapping_mul(PAGE_SIZE as u64);
    let fitting = page_number(contents.alignment(offset, len as u64));
    #[cfg(CONFIG_TRANSPARENT_HUGEPAGE)]
    // SAFETY: By this function's contract.
    return unsafe { bindings::thp_get_unmapped_area(file, address, len, fitting, flags) };
    // Without large pages the table does not have this function.
    #[cfg(not(CONFIG_TRANSPARENT_HUGEPAGE))]
    {
        let _ = (fitting, flags);
        address
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

impl<T: FileOperations> ProcFile<T> {
    /// Creates the file.
    pub(crate) fn create(name: &CStr, size: u64, contents: Pin<KBox<T>>) -> Result<Self> {
        let address: *const T = &*contents;
        let (name, data) = (name.as_char_ptr(), address.cast_mut().cast());
        let root = ptr::null_mut();
        // SAFETY: The name lives for the call; procfs copies it. The contents are pinned, and
        // outlive the entry.
        let entry = unsafe { bindings::proc_create_data(name, 0o400, root, T::TABLE, data) };
        // INVARIANT: The entry is registered when there is one.
        let entry = NonNull::new(entry).ok_or(ENOMEM)?;
        // SAFETY: As above.
        unsafe { bindings::proc_set_size(entry.as_ptr(), size as bindings::loff_t) };
        Ok(Self {
            entry,
            _contents: contents,
        })
    }
}

impl<T> Drop for ProcFile<T> {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant. Waits for readers that are inside the file.
        unsafe { bindings::proc_remove(self.entry.as_ptr()) }
    }
}

/// Lets others run that wait for this CPU. Says whether the reader is being killed.
pub(crate) fn pause() -> bool {
    // SAFETY: The caller is a system call that holds no lock.
    unsafe {
        bindings::rust_kexec_cond_resched();
        bindings::rust_kexec_is_being_killed()
    }
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
