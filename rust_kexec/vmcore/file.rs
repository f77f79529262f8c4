// SPDX-License-Identifier: GPL-2.0

//! `/proc/vmcore`: what it consists of, and reading and searching it.

use super::old_memory::OldMemory;
use crate::compat::prelude::*;
use crate::sys::proc_file::{pause, Destination, ProcFile};
use core::ffi::CStr;
use kernel::bindings;
use kexec_core::dump::vmcore::excluded::{Excluded, Run};
use kexec_core::dump::vmcore::windows::Budget;
use kexec_core::dump::vmcore::{Layout, Source, Wanted};
use kexec_core::types::ranges::Range;

const NAME: &CStr = match cfg!(CONFIG_PROC_VMCORE) {
    // The kernel's own file has that name already.
    true => c"rust_kexec_vmcore",
    false => c"vmcore",
};

/// How much is copied before others get the CPU and a signal is looked for.
const COPY_LEN_MAX: usize = 1 << 20;

/// What the file has besides memory.
pub(crate) struct DumpContents {
    /// Where in the file everything is.
    pub(super) layout: Layout,
    /// The ELF headers, in whole pages.
    pub(super) header: VVec<u8>,
    /// The notes, in whole pages.
    pub(super) notes: VVec<u8>,
    /// Memory that is not touched.
    pub(super) excluded: KBox<Excluded>,
}

/// The file's contents, which do not change: readers need no lock for them.
#[pin_data]
pub(crate) struct Vmcore {
    pub(super) contents: DumpContents,
    #[pin]
    pub(super) memory: OldMemory,
}

impl Vmcore {
    /// Copies from `offset` on until the reader has what it wants or the file ends.
    fn read(&self, offset: u64, to: &mut Destination<'_>) -> Result<usize> {
        let mut total: usize = 0;
        while to.wanted() > 0 {
            match self.read_part(offset.saturating_add(total as u64), to) {
                Ok(0) => break,
                Ok(read) => total += read,
                Err(error) if total == 0 => return Err(error),
                Err(_) => break,
            }
            if to.wanted() > 0 && pause() {
                break;
            }
        }
        Ok(total)
    }

    /// Copies from one piece of the file, as much as it has and the reader wants; 0 at the end.
    fn read_part(&self, offset: u64, to: &mut Destination<'_>) -> Result<usize> {
        let DumpContents { layout, header, .. } = &self.contents;
        let Some(piece) = layout.locate(header, offset) else {
            return Ok(0);
        };
        let wanted = to.wanted().min(piece.len as usize).min(COPY_LEN_MAX);
        let copied = match piece.source {
            Source::Header(start) => copy(header, start, wanted, to),
            Source::Notes(start) => copy(&self.contents.notes, start, wanted, to),
            Source::Memory(address) => {
                let memory = Range::from_start_len(address, piece.len).ok_or(EIO)?;
                match self.contents.excluded.first_run(memory) {
                    Run::Memory(run) => self.copy_memory(run, wanted, to)?,
                    Run::Zeros(run) => to.zero(wanted.min(run.len() as usize)),
                }
            }
        };
        match copied {
            // The reader's memory is not there.
            0 => Err(EFAULT),
            copied => Ok(copied),
        }
    }

    fn copy_memory(&self, run: Range, wanted: usize, to: &mut Destination<'_>) -> Result<usize> {
        let mapping = self.memory.at(run.start(), run)?;
        let from = mapping.address(run.start()).ok_or(EIO)?;
        let end = mapping.range().end().min(run.end());
        let len = wanted.min((end - run.start()) as usize);
        // SAFETY: `from` is inside the mapping, which has `len` bytes or more from there and stays
        // while we hold a reference.
        Ok(unsafe { to.copy_from(from, len) })
    }

    /// Where SEEK_DATA or SEEK_HOLE gets to from `offset`.
    fn seek(&self, offset: u64, wanted: Wanted) -> Option<u64> {
        let DumpContents {
            layout,
            header,
            excluded,
            ..
        } = &self.contents;
        layout.seek(header, excluded, offset, wanted)
    }
}

fn copy(bytes: &[u8], start: usize, wanted: usize, to: &mut Destination<'_>) -> usize {
    let part = bytes.get(start..).unwrap_or_default();
    // SAFETY: `part` is readable in its whole length.
    unsafe { to.copy_from(part.as_ptr(), part.len().min(wanted)) }
}

/// The file, for as long as it lives.
pub(crate) struct Registration {
    _file: ProcFile,
}

impl Registration {
    /// Creates the file.
    pub(super) fn new(contents: DumpContents, budget: Budget) -> Result<Self> {
        let size = contents.layout.size();
        let vmcore = KBox::pin_init(
            pin_init!(Vmcore {
                contents,
                memory <- OldMemory::new(budget),
            }),
            GFP_KERNEL,
        )?;
        let file = ProcFile::create(NAME, size, vmcore)?;
        pr_info!(
            "the crashed kernel's memory is in /proc, {} bytes, read through {}\n",
            size,
            format_args!("{budget}")
        );
        Ok(Self { _file: file })
    }
}

/// The file is read at the position of `iocb`.
///
/// # Safety
///
/// `vmcore` must be what the file was created with; the others valid, and for this call alone.
#[no_mangle]
unsafe extern "C" fn rust_kexec_vmcore_read_iter(
    vmcore: *const Vmcore,
    iocb: *mut bindings::kiocb,
    iter: *mut bindings::iov_iter,
) -> isize {
    // SAFETY: By this function's contract.
    let (vmcore, iocb, iter) = unsafe { (&*vmcore, &mut *iocb, &mut *iter) };
    match vmcore.read(iocb.ki_pos as u64, &mut Destination::new(iter)) {
        Ok(read) => {
            iocb.ki_pos += read as bindings::loff_t;
            read as isize
        }
        Err(error) => error.to_errno() as isize,
    }
}

/// SEEK_HOLE, or SEEK_DATA, from an offset that is not negative.
///
/// # Safety
///
/// `vmcore` must be what the file was created with.
#[no_mangle]
unsafe extern "C" fn rust_kexec_vmcore_seek(vmcore: *const Vmcore, offset: u64, hole: bool) -> i64 {
    // SAFETY: By this function's contract.
    let vmcore = unsafe { &*vmcore };
    let wanted = if hole { Wanted::Hole } else { Wanted::Data };
    match vmcore.seek(offset, wanted) {
        Some(found) => found as i64,
        None => ENXIO.to_errno().into(),
    }
}
