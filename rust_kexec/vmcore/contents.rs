// SPDX-License-Identifier: GPL-2.0

//! The contents of `/proc/vmcore`: reading and searching them.

use super::old_memory::OldMemory;
use crate::{
    compat::prelude::*,
    sys::proc_file::{
        pause,
        Destination, //
    }, //
};
use kexec_core::{
    dump::vmcore::{
        excluded::{
            Excluded,
            Run, //
        },
        Layout,
        Source,
        Wanted, //
    },
    types::ranges::Range, //
};

/// How much is copied before others get the CPU and a signal is looked for.
const COPY_LEN_MAX: usize = 1 << 20;

/// The parts of the file besides memory.
pub(super) struct DumpContents {
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
pub(super) struct Vmcore {
    pub(super) contents: DumpContents,
    #[pin]
    pub(super) memory: OldMemory,
}

impl Vmcore {
    /// Copies from `offset` on until the reader has what it wants or the file ends.
    pub(super) fn read(&self, offset: u64, to: &mut Destination<'_>) -> Result<usize> {
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
    pub(super) fn seek(&self, offset: u64, wanted: Wanted) -> Option<u64> {
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
