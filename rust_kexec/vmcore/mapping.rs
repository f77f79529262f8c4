// SPDX-License-Identifier: GPL-2.0

//! `/proc/vmcore` mapped into processes.
//!
//! A mapping is filled when it is made, but for what large pages can map: those are left to the
//! first access, because only then does the kernel map them. A mapping keeps the module loaded:
//! rmmod is refused while somebody has the dump mapped.

use super::contents::{
    DumpContents,
    Vmcore, //
};
use crate::{
    compat::prelude::*,
    sys::{
        page_fault::{
            Answer,
            PageFault, //
        },
        physical::is_in_use,
        user_mapping::UserMapping, //
    }, //
};
use kexec_core::{
    dump::vmcore::{
        excluded::Run,
        large_pages::{
            alignment,
            large_page_at_start, //
        },
        Source, //
    },
    types::ranges::Range, //
};

impl Vmcore {
    /// Fills a mapping, with the errors that the kernel's own file has.
    pub(super) fn map(&self, area: &mut UserMapping<'_>) -> Result {
        let DumpContents { layout, header, .. } = &self.contents;
        let len = area.len();
        let in_file = Range::from_start_len(area.offset().ok_or(EINVAL)?, len).ok_or(EINVAL)?;
        if in_file.end() > layout.size() {
            return Err(EINVAL);
        }
        if area.is_writable_or_executable() {
            return Err(EPERM);
        }
        let first = layout.locate(header, in_file.start()).ok_or(EINVAL)?;
        // Memory is all that follows memory.
        area.keep_read_only(matches!(first.source, Source::Memory(_)));

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
            Run::Memory(run) if is_in_use(run) => Err(EIO),
            Run::Memory(run) => {
                map_small_pages(area, at, run)?;
                Ok(run.len())
            }
            Run::Zeros(run) => {
                area.map_zeros(at, run.len())?;
                Ok(run.len())
            }
        }
    }

    /// Where within a large page a mapping of this part of the file should start.
    pub(super) fn alignment(&self, offset: u64, len: u64) -> u64 {
        let DumpContents { layout, header, .. } = &self.contents;
        Range::from_start_len(offset, len).map_or(0, |part| alignment(layout, header, part))
    }

    /// Maps the page at `offset` of the file.
    pub(super) fn fault(&self, fault: PageFault<'_>, offset: u64) -> Answer {
        match self.memory_at(offset) {
            None => Answer::NOTHING_THERE,
            Some(Run::Zeros(_)) => fault.map_zeros(),
            // As long as a window shows it, x86 takes the memory for what it is: cached.
            // The kernel would have an access that is answered with VM_FAULT_OOM tried again for
            // ever (pagefault_out_of_memory). When not even a page can be mapped that helps nobody;
            // mmap_vmcore_fault() answers with SIGBUS too.
            Some(Run::Memory(run)) => match self.memory.at(run.start(), run) {
                Ok(_window) => fault.map_memory(run.start()),
                Err(_) => Answer::NOTHING_THERE,
            },
        }
    }

    /// Maps the large page at `offset` of the file, if memory has one there.
    pub(super) fn fault_large(&self, fault: PageFault<'_>, offset: u64) -> Answer {
        let Some(Run::Memory(run)) = self.memory_at(offset) else {
            return Answer::SMALL_PAGE;
        };
        match (large_page_at_start(run), self.memory.at(run.start(), run)) {
            (Some(page), Ok(_window)) => fault.map_large_page(page.start()),
            _ => Answer::SMALL_PAGE,
        }
    }

    /// The memory from `offset` of the file on, as far as it is alike.
    fn memory_at(&self, offset: u64) -> Option<Run> {
        let DumpContents { layout, header, .. } = &self.contents;
        let piece = layout.locate(header, offset)?;
        let Source::Memory(address) = piece.source else {
            return None;
        };
        let memory = Range::from_start_len(address, piece.len)?;
        Some(self.contents.excluded.first_run(memory))
    }
}

/// Maps what no large page can map.
fn map_small_pages(area: &mut UserMapping<'_>, at: u64, memory: Range) -> Result {
    let Some(large) = area.large_part(at, memory) else {
        return area.map_memory(at, memory);
    };
    let parts = [
        Range::new(memory.start(), large.start()),
        Range::new(large.end(), memory.end()),
    ];
    for part in parts.into_iter().flatten().filter(|part| !part.is_empty()) {
        area.map_memory(at + (part.start() - memory.start()), part)?;
    }
    Ok(())
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
