// SPDX-License-Identifier: GPL-2.0

//! Copying the segments of an image to their places, with the digests by which a crash checks them.
//!
//! The elfcorehdr is not among them: it changes while the image is armed, see
//! [`crate::dump::elfcorehdr::slots`].

use crate::{
    handover::{
        check::BEFORE_THE_JUMP,
        purgatory::{
            Table,
            DIGESTED_LEN, //
        }, //
    },
    image::{
        write,
        KernelImage,
        Verified, //
    },
    plan::Plan,
    types::{
        bytes::{
            self,
            to_u64,
            to_usize, //
        },
        digest::{
            Algorithm,
            DIGEST_LEN, //
        },
        ranges::Range, //
    },
    uapi::{
        SegmentKind,
        SegmentRecord, //
    }, //
};

/// The contents of a segment.
#[derive(Debug)]
pub enum Contents<'a, T> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The pieces of this kernel.
    Kernel(&'a Verified<T>),
}

impl<T: KernelImage> Contents<'_, T> {
    /// How far into the segment they reach.
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => to_u64(bytes.len()),
            Self::Kernel(image) => image.file_len(),
        }
    }

    /// All bytes of the segment, where they lie together.
    pub fn whole(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Kernel(image) => {
                let first = image.piece(0)?;
                (first.offset == 0 && first.end() == image.file_len()).then_some(first.bytes)
            }
        }
    }

    /// Whether a segment has these contents. The gaps between the pieces of a kernel count for nothing.
    pub fn are(&self, found: &[u8]) -> bool {
        match self {
            Self::Bytes(bytes) => *bytes == found,
            Self::Kernel(image) => image.pieces().all(|piece| {
                let place = to_usize(piece.offset)..to_usize(piece.end());
                found.get(place) == Some(piece.bytes)
            }),
        }
    }

    /// Writes them to the start of `place`, and clears the rest. None if they do not fit.
    fn fill(&self, place: &mut [u8]) -> Option<()> {
        match self {
            Self::Kernel(image) => write(&***image, place).ok(),
            Self::Bytes(bytes) => {
                place.get_mut(..bytes.len())?.copy_from_slice(bytes);
                place.get_mut(bytes.len()..)?.fill(0);
                Some(())
            }
        }
    }
}

/// The region, and the means to write to it.
pub trait Destination {
    /// The bytes of a range.
    fn bytes(&mut self, range: Range) -> Option<&mut [u8]>;

    /// Makes what was written there visible to whoever reads without caches.
    fn publish(&mut self, range: Range);

    /// The digest of these bytes.
    fn digest(&mut self, algorithm: Algorithm, bytes: &[u8]) -> [u8; DIGEST_LEN];

    /// The digest of what was written to a range.
    fn digest_written(&mut self, algorithm: Algorithm, range: Range) -> [u8; DIGEST_LEN];
}

/// The records of the segments, in the plan's order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Records {
    list: [SegmentRecord; SegmentKind::COUNT],
    count: usize,
}

impl Records {
    /// The records.
    pub fn as_slice(&self) -> &[SegmentRecord] {
        self.list.get(..self.count).unwrap_or_default()
    }
}

/// Copies what `contents` has for each segment of a plan, and then `table`, to which the digests for the
/// purgatory are added: those of the other segments by `algorithm`, and its own. What is checked
/// before the jump has its digest in the records only, which are filled in.
pub fn copy<'a, T: KernelImage + 'a>(
    plan: &Plan,
    table: &mut Table,
    algorithm: Algorithm,
    to: &mut impl Destination,
    contents: impl Fn(SegmentKind) -> Option<Contents<'a, T>>,
    records: &mut Records,
) {
    *records = Records::default();
    for (record, segment) in records.list.iter_mut().zip(plan.segments()) {
        *record = SegmentRecord {
            kind: segment.kind as u32,
            start: segment.memory.start(),
            file_len: segment.file_len,
            memory_len: segment.memory.len(),
            ..SegmentRecord::default()
        };
        records.count = records.count.saturating_add(1);
        let Some(contents) = contents(segment.kind) else {
            continue;
        };
        let by_purgatory = segment.kind.is_checked_by_purgatory();
        let algorithm = if by_purgatory {
            algorithm
        } else {
            BEFORE_THE_JUMP
        };
        copy_one(segment.memory, &contents, algorithm, to, record);
        if by_purgatory {
            add(table, record);
        }
    }
    let kind = SegmentKind::PurgatoryTable;
    let mut list = records.list.iter_mut();
    let record = list.find(|record| record.kind == kind as u32);
    if let (Some(segment), Some(record)) = (plan.segment(kind), record) {
        copy_table::<T>(segment.memory, table, to, record);
    }
}

/// Copies a segment, and completes its record. The plan has room for everything; where it had not,
/// there would be no digest, and the image would never be entered.
fn copy_one<T: KernelImage>(
    memory: Range,
    contents: &Contents<'_, T>,
    algorithm: Algorithm,
    to: &mut impl Destination,
    record: &mut SegmentRecord,
) {
    let place = to.bytes(memory);
    let copied = Range::from_start_len(memory.start(), contents.len());
    let filled = place.and_then(|place| contents.fill(place));
    if let (Some(()), Some(copied)) = (filled, copied) {
        to.publish(memory);
        record.file_len = copied.len();
        record.algorithm = algorithm as u32;
        // That of what ought to be there: a copy that went wrong has another.
        record.digest = match contents.whole() {
            Some(bytes) => to.digest(algorithm, bytes),
            None => to.digest_written(algorithm, copied),
        };
    }
}

/// Copies the purgatory's table, with its own digest at its end.
// Out of line for the stack: the encoded table.
#[inline(never)]
fn copy_table<T: KernelImage>(
    memory: Range,
    table: &mut Table,
    to: &mut impl Destination,
    record: &mut SegmentRecord,
) {
    let mut encoded = table.encode();
    let digested = encoded.get(..DIGESTED_LEN).unwrap_or_default();
    table.sha256 = to.digest(Algorithm::Sha256, digested);
    bytes::write(&mut encoded, DIGESTED_LEN, &table.sha256);
    let contents = Contents::<T>::Bytes(&encoded);
    copy_one(memory, &contents, BEFORE_THE_JUMP, to, record);
}

/// Adds a segment to the table.
fn add(table: &mut Table, record: &SegmentRecord) {
    if let Some(place) = table.checked.get_mut(table.checked_count as usize) {
        *place = record.checked();
        table.checked_count = table.checked_count.saturating_add(1);
    }
}
