// SPDX-License-Identifier: GPL-2.0

//! The parts of a dump in one file again. Pages are copied as they are.

use std::{
    fmt,
    io,
    ops::Range, //
};

use kexec_core::dump::kdump_compressed::layout::{
    DiskDumpHeader,
    KdumpSubHeader,
    PageDescriptor,
    COMPRESSED_INCOMPLETE,
    PAGE_DESCRIPTOR_LEN, //
};

use super::{
    reader::KdumpFile,
    writer::{
        place_notes,
        Head, //
    },
    Geometry, //
};
use crate::{
    source::Source,
    target::Target, //
};

/// So much is in memory at a time.
const PIECE_LEN: usize = 1 << 20;
/// The descriptors of a piece.
const PIECE_DESCRIPTORS: usize = PIECE_LEN / PAGE_DESCRIPTOR_LEN;

/// Why parts cannot be put together. Parts are counted from 0, in the order in which they were given.
#[derive(Debug)]
pub enum ReassembleError {
    /// No part was given.
    None,
    /// The file is no part, but a whole dump.
    Whole(usize),
    /// The file is a part of another dump than the first one: this differs.
    Other(usize, &'static str),
    /// No part has these frames.
    Missing {
        /// The first of them.
        start: u64,
        /// The one after the last.
        end: u64,
    },
    /// More than one part has these frames.
    Twice {
        /// The first of them.
        start: u64,
        /// The one after the last.
        end: u64,
    },
    /// A part cannot be read.
    Read(usize, io::Error),
    /// The file that they are put into cannot be written.
    Write(io::Error),
}

impl fmt::Display for ReassembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "there are no parts"),
            Self::Whole(_) => write!(f, "it is a whole dump, and no part of one"),
            Self::Other(_, what) => {
                write!(f, "it is a part of another dump than the first file: {what}")
            }
            Self::Missing { start, end } => write!(
                f,
                "a part is missing: no file has the page frames from {start:#x} to {end:#x}"
            ),
            Self::Twice { start, end } => write!(
                f,
                "a part was given twice: more than one file has the page frames from {start:#x} to {end:#x}"
            ),
            Self::Read(_, error) => write!(f, "it cannot be read: {error}"),
            Self::Write(error) => write!(f, "the dump cannot be written: {error}"),
        }
    }
}

impl std::error::Error for ReassembleError {}

impl ReassembleError {
    /// The part that it is about.
    pub fn part(&self) -> Option<usize> {
        match self {
            Self::Whole(part) | Self::Other(part, _) | Self::Read(part, _) => Some(*part),
            _ => None,
        }
    }
}

/// The parts of one dump, all of them.
#[derive(Debug)]
pub struct Parts<'a, S> {
    /// In the order of their frames, with the place in which each was given.
    parts: Vec<(usize, &'a KdumpFile<S>)>,
}

impl<'a, S: Source> Parts<'a, S> {
    /// Takes parts in any order, if together they are a dump.
    pub fn new(files: &'a [KdumpFile<S>]) -> Result<Self, ReassembleError> {
        let first = files.first().ok_or(ReassembleError::None)?;
        for (at, file) in files.iter().enumerate() {
            let [one, other] = [first.header(), file.header()];
            if file.sub_header().split == 0 {
                return Err(ReassembleError::Whole(at));
            }
            let same = [
                ("the kernel", one.utsname == other.utsname),
                ("the time of the crash", one.timestamp == other.timestamp),
                ("the length of a page", one.block_len == other.block_len),
                (
                    "the number of page frames",
                    one.bitmap_blocks == other.bitmap_blocks
                        && first.sub_header().frames_end == file.sub_header().frames_end,
                ),
                ("the notes", first.notes() == file.notes()),
            ];
            if let Some((what, _)) = same.into_iter().find(|(_, same)| !same) {
                return Err(ReassembleError::Other(at, what));
            }
        }
        let mut parts: Vec<_> = files.iter().enumerate().collect();
        parts.sort_by_key(|(_, file)| (file.part().start, file.part().end));
        let mut next = 0;
        for (_, file) in &parts {
            let part = file.part();
            if part.start > next {
                let (start, end) = (next, part.start);
                return Err(ReassembleError::Missing { start, end });
            }
            if part.start < next && !part.is_empty() {
                let (start, end) = (part.start, part.end.min(next));
                return Err(ReassembleError::Twice { start, end });
            }
            next = next.max(part.end);
        }
        let end = first.sub_header().frames_end;
        match next < end {
            true => Err(ReassembleError::Missing { start: next, end }),
            false => Ok(Self { parts }),
        }
    }

    /// Writes one file. It is marked as incomplete until it is whole, and stays so if a part was.
    pub fn write(&self, target: &impl Target) -> Result<(), ReassembleError> {
        use ReassembleError::Write;
        let Some(&(given, first)) = self.parts.first() else {
            return Err(ReassembleError::None);
        };
        let descriptors = self
            .parts
            .iter()
            .map(|(_, file)| file.geometry().descriptors);
        let geometry = Geometry {
            sub_header_blocks: Geometry::sub_header_blocks(first.notes(), first.page_len()),
            descriptors: descriptors.sum(),
            ..*first.geometry()
        };
        let incomplete = self.parts.iter().any(|(_, file)| file.is_incomplete());
        let head = Head {
            header: DiskDumpHeader {
                status: first.header().status | COMPRESSED_INCOMPLETE,
                sub_header_blocks: geometry.sub_header_blocks as u32,
                ..*first.header()
            },
            sub_header: KdumpSubHeader {
                split: 0,
                part_start: 0,
                part_end: 0,
                eraseinfo: [0; 2],
                ..place_notes(*first.sub_header(), first.notes(), &geometry)
            },
        };
        head.write(target, &geometry, first.notes())
            .map_err(Write)?;
        // Each part has the bitmaps of all.
        let bitmaps = first.geometry().memory_bitmap()..first.geometry().descriptors();
        copy(given, first, bitmaps, target, geometry.memory_bitmap())?;
        let mut place = geometry.descriptors();
        let mut data = geometry.data();
        let mut cut_off = false;
        for (at, file) in &self.parts {
            cut_off |= copy_descriptors(*at, file, target, place, data)?;
            place += file.geometry().descriptors * PAGE_DESCRIPTOR_LEN as u64;
            let start = file.geometry().data();
            copy(*at, file, start..file.source().len(), target, data)?;
            data += file.source().len().saturating_sub(start);
        }
        target.sync().map_err(Write)?;
        if !incomplete && !cut_off {
            head.mark_complete(target).map_err(Write)?;
        }
        Ok(())
    }
}

/// Copies what is in `range` of a part to `place`. Holes stay holes, but for the last byte: a damaged file can
/// have longer ones than there is time to copy.
fn copy<S: Source>(
    at: usize,
    file: &KdumpFile<S>,
    range: Range<u64>,
    target: &impl Target,
    place: u64,
) -> Result<(), ReassembleError> {
    let mut offset = range.start;
    while offset < range.end {
        offset = file.source().next_data(offset).min(range.end - 1);
        let len = (range.end - offset).min(PIECE_LEN as u64);
        let bytes = file.source().read_vec(offset, len);
        let bytes = bytes.map_err(|error| ReassembleError::Read(at, error))?;
        target
            .write_at(place + (offset - range.start), &bytes)
            .map_err(ReassembleError::Write)?;
        offset += len;
    }
    Ok(())
}

/// Copies the descriptors of a part to `place`, for data that will be at `data`. Whether the part was cut off,
/// so that pages are missing.
fn copy_descriptors<S: Source>(
    at: usize,
    file: &KdumpFile<S>,
    target: &impl Target,
    place: u64,
    data: u64,
) -> Result<bool, ReassembleError> {
    let (start, end) = (file.geometry().descriptors(), file.geometry().data());
    let whole = file.source().len().saturating_sub(start) / PAGE_DESCRIPTOR_LEN as u64;
    let there = end.min(start + whole * PAGE_DESCRIPTOR_LEN as u64);
    let mut cut_off = there < end;
    let mut offset = start;
    while offset < there {
        let len = (there - offset).min((PIECE_DESCRIPTORS * PAGE_DESCRIPTOR_LEN) as u64);
        let bytes = file.source().read_vec(offset, len);
        let mut bytes = bytes.map_err(|error| ReassembleError::Read(at, error))?;
        for entry in bytes.chunks_exact_mut(PAGE_DESCRIPTOR_LEN) {
            let found = PageDescriptor::decode(entry).unwrap_or_default();
            let moved = moved(found, end..file.source().len(), data);
            cut_off |= moved.is_none();
            entry.copy_from_slice(&moved.unwrap_or_default().encode());
        }
        target
            .write_at(place + (offset - start), &bytes)
            .map_err(ReassembleError::Write)?;
        offset += len;
    }
    Ok(cut_off)
}

/// The descriptor of a page when the data of its file, which is in `data`, is moved to `place`. `None` where the
/// page is not in the file.
fn moved(descriptor: PageDescriptor, data: Range<u64>, place: u64) -> Option<PageDescriptor> {
    let end = descriptor.offset.checked_add(descriptor.len.into())?;
    let offset = descriptor.offset.checked_sub(data.start)?;
    (end <= data.end).then_some(PageDescriptor {
        offset: place.checked_add(offset)?,
        ..descriptor
    })
}
