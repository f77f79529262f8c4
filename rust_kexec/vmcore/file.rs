// SPDX-License-Identifier: GPL-2.0

//! `/proc/vmcore`.

use super::old_memory::Window;
use crate::compat::{global_lock, prelude::*};
use crate::sys::proc_file::{Destination, ProcFile};
use core::ffi::CStr;
use kernel::bindings;
use kexec_core::ranges::Range;
use kexec_core::vmcore::{Layout, Source};

const NAME: &CStr = match cfg!(CONFIG_PROC_VMCORE) {
    // The kernel's own file has that name already.
    true => c"rust_kexec_vmcore",
    false => c"vmcore",
};

global_lock! {
    /// What the file serves. Set before the file exists and dropped after it is gone.
    // SAFETY: `Registration::new` initialises it before there is a file.
    unsafe(uninit) static VMCORE: Mutex<Option<Vmcore>> = None;
}

/// The dump's headers and notes, and a window onto its memory.
pub(crate) struct Vmcore {
    layout: Layout,
    header: KVVec<u8>,
    notes: KVVec<u8>,
    window: Window,
}

impl Vmcore {
    /// A dump of this layout.
    pub(super) fn new(layout: Layout, header: KVVec<u8>, notes: KVVec<u8>) -> Self {
        Self {
            layout,
            header,
            notes,
            window: Window::new(),
        }
    }

    /// Copies from one piece of the file, as much as it has and the reader wants; 0 at the end.
    fn read(&mut self, offset: u64, to: &mut Destination<'_>) -> Result<usize> {
        let Some(piece) = self.layout.locate(&self.header, offset) else {
            return Ok(0);
        };
        let wanted = to.wanted().min(piece.len as usize);
        match piece.source {
            Source::Header(start) => copy_padded(&self.header, start, wanted, to),
            Source::Notes(start) => copy_padded(&self.notes, start, wanted, to),
            Source::Memory(address) => {
                let memory = Range::from_start_len(address, piece.len).ok_or(EIO)?;
                self.copy_memory(address, memory, wanted, to)
            }
        }
    }

    fn copy_memory(
        &mut self,
        address: u64,
        memory: Range,
        wanted: usize,
        to: &mut Destination<'_>,
    ) -> Result<usize> {
        let mapping = self.window.at(address, memory)?;
        let from = mapping.address(address).ok_or(EIO)?;
        let len = wanted.min((mapping.range().end() - address) as usize);
        // SAFETY: `from` is inside the mapping, which has `len` bytes or more from there.
        Ok(unsafe { to.copy_from(from, len) })
    }
}

/// Copies from `bytes`, behind which the file has zeros.
fn copy_padded(
    bytes: &[u8],
    start: usize,
    wanted: usize,
    to: &mut Destination<'_>,
) -> Result<usize> {
    static ZEROS: [u8; kernel::page::PAGE_SIZE] = [0; kernel::page::PAGE_SIZE];
    let part = match bytes.get(start..) {
        Some(part) if !part.is_empty() => part,
        _ => &ZEROS,
    };
    // SAFETY: `part` is readable in its whole length.
    Ok(unsafe { to.copy_from(part.as_ptr(), part.len().min(wanted)) })
}

/// The file, for as long as it lives.
pub(crate) struct Registration {
    // Dropped first: that waits for readers.
    file: Option<ProcFile>,
}

impl Registration {
    /// Creates the file.
    pub(super) fn new(vmcore: Vmcore) -> Result<Self> {
        let size = vmcore.layout.size();
        // SAFETY: Called once, when the module is loaded, before the file exists.
        unsafe { VMCORE.init() };
        *VMCORE.lock() = Some(vmcore);
        match ProcFile::create(NAME, size) {
            Ok(file) => {
                pr_info!("the crashed kernel's memory is in /proc, {} bytes\n", size);
                Ok(Self { file: Some(file) })
            }
            Err(error) => {
                *VMCORE.lock() = None;
                Err(error)
            }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.file = None;
        *VMCORE.lock() = None;
    }
}

/// The file is read at the position of `iocb`.
///
/// # Safety
///
/// Both must be valid, and for this call alone.
#[no_mangle]
unsafe extern "C" fn rust_kexec_vmcore_read_iter(
    iocb: *mut bindings::kiocb,
    iter: *mut bindings::iov_iter,
) -> isize {
    // SAFETY: By this function's contract.
    let (iocb, iter) = unsafe { (&mut *iocb, &mut *iter) };
    let mut to = Destination::new(iter);
    match read_at(iocb.ki_pos as u64, &mut to) {
        Ok(read) => {
            iocb.ki_pos += read as bindings::loff_t;
            read as isize
        }
        Err(error) => error.to_errno() as isize,
    }
}

fn read_at(offset: u64, to: &mut Destination<'_>) -> Result<usize> {
    let mut guard = VMCORE.lock();
    let vmcore = guard.as_mut().ok_or(EIO)?;
    let mut total: usize = 0;
    while to.wanted() > 0 {
        let wanted = to.wanted();
        match vmcore.read(offset + total as u64, to) {
            // The end, or the reader's memory is not there.
            Ok(0) => break,
            Ok(read) => total += read,
            Err(error) if total == 0 => return Err(error),
            Err(_) => break,
        }
        if to.wanted() == wanted {
            break;
        }
    }
    Ok(total)
}
