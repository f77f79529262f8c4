// SPDX-License-Identifier: GPL-2.0

//! Copying the segments of an image to their places, and checking the copies there, with the digests by which
//! a crash checks them.
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
    plan::{
        Plan,
        Segment, //
    },
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
    fn whole(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Kernel(image) => {
                let first = image.piece(0)?;
                (first.offset == 0 && first.end() == image.file_len()).then_some(first.bytes)
            }
        }
    }

    /// Whether a segment has these contents. The gaps between the pieces of a kernel count for nothing.
    fn are(&self, found: &[u8]) -> bool {
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

    /// The digest of these bytes, if a range has the same.
    fn digest_compared(
        &mut self,
        algorithm: Algorithm,
        bytes: &[u8],
        copy: Range,
    ) -> Option<[u8; DIGEST_LEN]>;
}

/// A copy that is not what was copied: its memory does not keep what is written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// What was copied.
    pub kind: SegmentKind,
    /// Where to.
    pub memory: Range,
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

/// Copies what `contents` has for each segment of a plan, compares, and does the same with `table`, to which
/// the digests for the purgatory are added: those of the other segments by `algorithm`, and its own. What is
/// checked before the jump has its digest in the records only, which are filled in.
///
/// # Errors
///
/// The first copy that is damaged.
pub fn copy<'a, T: KernelImage + 'a>(
    plan: &Plan,
    table: &mut Table,
    algorithm: Algorithm,
    to: &mut impl Destination,
    contents: impl Fn(SegmentKind) -> Option<Contents<'a, T>>,
    records: &mut Records,
) -> Result<(), Damaged> {
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
        if let Some(contents) = contents(segment.kind) {
            copy_one(segment.memory, &contents, to);
        }
    }
    compare(plan, table, algorithm, to, contents, records)?;
    let kind = SegmentKind::PurgatoryTable;
    let mut list = records.list.iter_mut();
    let record = list.find(|record| record.kind == kind as u32);
    match (plan.segment(kind), record) {
        (Some(segment), Some(record)) => copy_table::<T>(segment, table, to, record),
        _ => Ok(()),
    }
}

/// Compares all copies with what was copied, and completes the records.
// Never inline: a test has memory change when this is entered.
#[inline(never)]
fn compare<'a, T: KernelImage + 'a>(
    plan: &Plan,
    table: &mut Table,
    algorithm: Algorithm,
    to: &mut impl Destination,
    contents: impl Fn(SegmentKind) -> Option<Contents<'a, T>>,
    records: &mut Records,
) -> Result<(), Damaged> {
    for (record, segment) in records.list.iter_mut().zip(plan.segments()) {
        let Some(contents) = contents(segment.kind) else {
            match segment.kind {
                // Whoever fills them in compares.
                SegmentKind::Elfcorehdr | SegmentKind::PurgatoryTable => continue,
                kind => {
                    let memory = segment.memory;
                    return Err(Damaged { kind, memory });
                }
            }
        };
        if segment.kind.is_checked_by_purgatory() {
            complete(segment, &contents, algorithm, to, record)?;
            add(table, record);
        } else {
            complete(segment, &contents, BEFORE_THE_JUMP, to, record)?;
        }
    }
    Ok(())
}

/// Copies a segment. The plan has room for everything.
fn copy_one<T: KernelImage>(memory: Range, contents: &Contents<'_, T>, to: &mut impl Destination) {
    let place = to.bytes(memory);
    // Where it had none, the comparison fails.
    if place.and_then(|place| contents.fill(place)).is_some() {
        to.publish(memory);
    }
}

/// Compares the copy of a segment with its contents, and completes its record.
fn complete<T: KernelImage>(
    segment: &Segment,
    contents: &Contents<'_, T>,
    algorithm: Algorithm,
    to: &mut impl Destination,
    record: &mut SegmentRecord,
) -> Result<(), Damaged> {
    let copied = Range::from_start_len(segment.memory.start(), contents.len());
    let digest = copied.and_then(|copied| match contents.whole() {
        Some(bytes) => to.digest_compared(algorithm, bytes, copied),
        None => {
            let are_equal = contents.are(to.bytes(copied)?);
            are_equal.then(|| to.digest_written(algorithm, copied))
        }
    });
    record.digest = digest.ok_or(Damaged {
        kind: segment.kind,
        memory: copied.unwrap_or(segment.memory),
    })?;
    record.file_len = contents.len();
    record.algorithm = algorithm as u32;
    Ok(())
}

/// Copies the purgatory's table, with its own digest at its end, and compares.
// Out of line for the stack: the encoded table.
#[inline(never)]
fn copy_table<T: KernelImage>(
    segment: &Segment,
    table: &mut Table,
    to: &mut impl Destination,
    record: &mut SegmentRecord,
) -> Result<(), Damaged> {
    let mut encoded = table.encode();
    let digested = encoded.get(..DIGESTED_LEN).unwrap_or_default();
    table.sha256 = to.digest(Algorithm::Sha256, digested);
    bytes::write(&mut encoded, DIGESTED_LEN, &table.sha256);
    let contents = Contents::<T>::Bytes(&encoded);
    copy_one(segment.memory, &contents, to);
    compare_table(segment, &contents, to, record)
}

/// Compares the copy of the table, the last one.
// Never inline, as above.
#[inline(never)]
fn compare_table<T: KernelImage>(
    segment: &Segment,
    contents: &Contents<'_, T>,
    to: &mut impl Destination,
    record: &mut SegmentRecord,
) -> Result<(), Damaged> {
    complete(segment, contents, BEFORE_THE_JUMP, to, record)
}

/// Adds a segment to the table.
fn add(table: &mut Table, record: &SegmentRecord) {
    if let Some(place) = table.checked.get_mut(table.checked_count as usize) {
        *place = record.checked();
        table.checked_count = table.checked_count.saturating_add(1);
    }
}
