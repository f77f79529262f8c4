// SPDX-License-Identifier: GPL-2.0

//! `/proc/vmcore` mapped into processes.
//!
//! A mapping is filled when it is made and has nothing to ask the module for later. It keeps the
//! module loaded all the same: rmmod is refused while somebody has the dump mapped.

use super::file::{Contents, Vmcore};
use crate::compat::prelude::*;
use crate::sys::user_mapping::UserMapping;
use kexec_core::ranges::Range;
use kexec_core::vmcore::excluded::Run;
use kexec_core::vmcore::Source;

impl Vmcore {
    /// Fills a mapping, with the errors that the kernel's own file has.
    pub(super) fn map(&self, area: &mut UserMapping<'_>) -> Result {
        let Contents { layout, header, .. } = &self.contents;
        let len = area.len();
        let in_file = Range::from_start_len(area.offset().ok_or(EINVAL)?, len).ok_or(EINVAL)?;
        if in_file.end() > layout.size() {
            return Err(EINVAL);
        }
        if area.is_writable_or_executable() {
            return Err(EPERM);
        }
        area.keep_read_only();

        let mut done = 0;
        while done < len {
            let piece = layout
                .locate(header, in_file.start() + done)
                .ok_or(EINVAL)?;
            let part = piece.len.min(len - done);
            done += match piece.source {
                Source::Header(start) => map_buffer(area, done, header, start, part)?,
                Source::Notes(start) => map_buffer(area, done, &self.contents.notes, start, part)?,
                Source::Memory(address) => {
                    let memory = Range::from_start_len(address, part).ok_or(EINVAL)?;
                    self.map_memory(area, done, memory)?
                }
            };
        }
        Ok(())
    }

    fn map_memory(&self, area: &mut UserMapping<'_>, at: u64, memory: Range) -> Result<u64> {
        match self.contents.excluded.first_run(memory) {
            Run::Memory(run) => {
                area.map_memory(at, run)?;
                Ok(run.len())
            }
            Run::Zeros(run) => {
                area.map_zeros(at, run.len())?;
                Ok(run.len())
            }
        }
    }
}

fn map_buffer(
    area: &mut UserMapping<'_>,
    at: u64,
    buffer: &VVec<u8>,
    start: usize,
    len: u64,
) -> Result<u64> {
    let part = buffer
        .get(start..)
        .and_then(|rest| rest.get(..len as usize));
    area.map_pages(at, part.ok_or(EINVAL)?)?;
    Ok(len)
}
