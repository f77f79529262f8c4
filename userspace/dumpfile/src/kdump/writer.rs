// SPDX-License-Identifier: GPL-2.0

//! The writer of a kdump-compressed file.

use std::{
    io,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};

use kexec_core::dump::kdump_compressed::layout::{
    DiskDumpHeader,
    KdumpSubHeader,
    COMPRESSED_INCOMPLETE,
    EXCLUDED_VMEMMAP,
    VERSION, //
};

use super::{
    bitmap,
    known::Known,
    shared::{
        Counts,
        Shared, //
    },
    worker::Worker,
    Description,
    Geometry, //
};
use crate::{
    frames::Frames,
    memory::PhysicalMemory,
    notes::vmcoreinfo_place,
    target::Target, //
};

/// A file that is being written. Workers write its pages.
///
/// From the first moment until [`Writer::finish`] it is marked as incomplete. Whatever happens in between,
/// a reader opens it and finds the pages that got there.
#[derive(Debug)]
pub struct Writer<T> {
    shared: Shared<T>,
    head: Head,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The length of the file.
    pub len: u64,
    /// The pages in it.
    pub pages: u64,
    /// Those of them that were equal to another, and so took no room.
    pub shared: u64,
    /// Pages that could not be read, and are missing.
    pub lost: u64,
}

impl<T: Target> Writer<T> {
    /// Writes everything that precedes the pages: `memory` are the frames that the machine has, `kept` those
    /// of them that the dump has.
    pub fn start(
        target: T,
        description: &Description,
        memory: &Frames,
        kept: &Frames,
    ) -> io::Result<Self> {
        let frames_end = memory.end();
        let part = description.part.clone().unwrap_or(0..frames_end);
        let first = count_below(kept, part.start);
        let geometry = Geometry::new(description, memory, count_below(kept, part.end) - first);
        let head = Head {
            header: header(description, &geometry, frames_end)?,
            sub_header: sub_header(description, &geometry, frames_end),
        };
        let shared = Shared {
            target,
            codec: description.codec,
            level: description.level,
            geometry,
            first,
            next: AtomicU64::new(geometry.data() + geometry.page_len),
            counts: Counts::default(),
            known: Known::new(description.codec.flag()),
        };
        let target = &shared.target;
        head.write(target, &geometry, &description.notes)?;
        let bitmap_len = geometry.bitmap_blocks * geometry.page_len;
        bitmap::write(target, geometry.memory_bitmap(), memory, bitmap_len)?;
        bitmap::write(target, geometry.kept_bitmap(), kept, bitmap_len)?;
        // The page that all descriptors of zeros point to. As it lies behind all descriptors, a file
        // that is cut off has them.
        target.write_at(geometry.data(), &vec![0; shared.page_len()])?;
        Ok(Self { shared, head })
    }

    /// Something that writes pages of this memory. Each thread has its own.
    pub fn worker<'a, M: PhysicalMemory>(&'a self, memory: &'a M) -> Worker<'a, M, T> {
        Worker::new(&self.shared, memory)
    }

    /// Marks the file as complete, if no page was lost. All workers have finished.
    pub fn finish(self) -> io::Result<Written> {
        let Shared {
            target,
            next,
            counts,
            ..
        } = &self.shared;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let written = Written {
            len: count(next),
            pages: count(&counts.pages),
            shared: count(&counts.shared),
            lost: count(&counts.lost),
        };
        // What is marked as complete has to be there after a loss of power as well.
        target.sync()?;
        if written.lost == 0 {
            self.head.mark_complete(target)?;
        }
        Ok(written)
    }
}

/// The headers of a file.
#[derive(Debug)]
pub(super) struct Head {
    /// Marked as incomplete.
    pub header: DiskDumpHeader,
    pub sub_header: KdumpSubHeader,
}

impl Head {
    /// Writes the headers and the notes.
    pub fn write(&self, target: &impl Target, geometry: &Geometry, notes: &[u8]) -> io::Result<()> {
        // Before the header: a file that has one is long enough for what the header says of it, and can be opened
        // whenever its writer is killed.
        let descriptors = geometry.descriptors();
        target.clear(descriptors, geometry.data() - descriptors)?;
        target.write_at(0, &block(&self.header))?;
        let mut blocks = Vec::from(self.sub_header.encode());
        blocks.extend(notes);
        blocks.resize((geometry.sub_header_blocks * geometry.page_len) as usize, 0);
        target.write_at(geometry.page_len, &blocks)
    }

    /// Marks a file as complete of which everything else is there, also after a loss of power.
    pub fn mark_complete(&self, target: &impl Target) -> io::Result<()> {
        let header = DiskDumpHeader {
            status: self.header.status & !COMPRESSED_INCOMPLETE,
            ..self.header
        };
        target.write_at(0, &block(&header))?;
        target.sync()
    }
}

/// The block with the header, which is written as a whole each time.
fn block(header: &DiskDumpHeader) -> Vec<u8> {
    let mut block = Vec::from(header.encode());
    block.resize(header.block_len as usize, 0);
    block
}

/// How many frames of a set are below this one.
fn count_below(frames: &Frames, frame: u64) -> u64 {
    let runs = frames.runs();
    let below = runs.take_while(|run| run.start < frame);
    below.map(|run| run.end.min(frame) - run.start).sum()
}

fn header(
    description: &Description,
    geometry: &Geometry,
    frames_end: u64,
) -> io::Result<DiskDumpHeader> {
    let blocks = |count: u64| {
        u32::try_from(count).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "the notes or the memory are larger than a kdump-compressed file can say: write an \
                 ELF file",
            )
        })
    };
    let vmemmap = match description.excluded_vmemmap {
        true => EXCLUDED_VMEMMAP,
        false => 0,
    };
    Ok(DiskDumpHeader {
        version: VERSION,
        utsname: description.utsname,
        timestamp: description.timestamp,
        status: COMPRESSED_INCOMPLETE | description.codec.flag() | vmemmap,
        block_len: description.page_len,
        sub_header_blocks: blocks(geometry.sub_header_blocks)?,
        bitmap_blocks: blocks(geometry.bitmap_blocks.saturating_mul(2))?,
        frames_end: frames_end.min(u32::MAX.into()) as u32,
        // crash warns of a machine without any.
        cpus: description.cpus.max(1),
    })
}

fn sub_header(description: &Description, geometry: &Geometry, frames_end: u64) -> KdumpSubHeader {
    let part = description.part.clone();
    let sub_header = KdumpSubHeader {
        phys_base: description.phys_base,
        dump_level: description.dump_level,
        split: part.is_some().into(),
        part_start: part.as_ref().map_or(0, |part| part.start),
        part_end: part.as_ref().map_or(0, |part| part.end),
        frames_end,
        ..KdumpSubHeader::default()
    };
    place_notes(sub_header, &description.notes, geometry)
}

/// The sub-header of a file that has these notes.
pub(super) fn place_notes(
    sub_header: KdumpSubHeader,
    notes: &[u8],
    geometry: &Geometry,
) -> KdumpSubHeader {
    KdumpSubHeader {
        vmcoreinfo: vmcoreinfo_place(notes).map_or([0; 2], |place| {
            [geometry.notes() + place.start as u64, place.len() as u64]
        }),
        notes: match notes.is_empty() {
            true => [0; 2],
            false => [geometry.notes(), notes.len() as u64],
        },
        ..sub_header
    }
}
