// SPDX-License-Identifier: GPL-2.0

//! Copying segments to their places, and their digests.

use super::digests::Digests;
use super::handover::Staging;
use super::write_protection::WriteProtection;
use crate::arch::{handover, image::Image};
use crate::sys::physical::ReservedMemory;
use kexec_core::dump::elfcorehdr::slots::Slots;
use kexec_core::handover::purgatory::{Table, DIGESTED_LEN};
use kexec_core::image::{write, KernelImage};
use kexec_core::plan::Plan;
use kexec_core::types::digest::Checked;
use kexec_core::types::ranges::without;
use kexec_core::uapi::{SegmentKind, SegmentRecord, SEGMENTS_MAX};

/// The contents of a segment.
#[derive(Clone, Copy)]
pub(super) enum SegmentContents<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The pieces of this kernel.
    Kernel(&'a Image<'a>),
}

impl SegmentContents<'_> {
    /// How far into the segment they reach.
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Kernel(image) => image.file_len(),
        }
    }
}

/// How many parts of the region the ELF core header's segment leaves.
const PARTS_MAX: usize = 2;

/// The segments of an image in the region, but for the ELF core header, which changes.
///
/// # Invariants
///
/// Every segment of `plan` but that one was copied to its place, and `records` has the digest of each.
pub(crate) struct Segments {
    plan: Plan,
    records: [SegmentRecord; SEGMENTS_MAX],
    count: usize,
    _protections: [Option<WriteProtection>; PARTS_MAX],
}

impl Segments {
    /// Copies what `contents` has for each segment, then the purgatory's table, which names the
    /// address of the crash report and the slots of the ELF core header.
    ///
    /// # Safety
    ///
    /// The plan's region must be reserved memory that nothing else uses while this runs.
    // Out of line for the stack: the purgatory's table and the records.
    #[inline(never)]
    pub(super) unsafe fn write<'a>(
        plan: Plan,
        report: u64,
        elfcorehdr: Slots,
        staging: &Staging,
        digests: &mut Digests,
        contents: impl Fn(SegmentKind) -> Option<SegmentContents<'a>>,
    ) -> Self {
        // SAFETY: The caller vouches for the region.
        let mut memory = unsafe { ReservedMemory::new(plan.region()) };
        let mut table = Table {
            entry: plan.entry(),
            report,
            elfcorehdr,
            ..Table::default()
        };
        staging.fill_table(&mut table, &plan);

        let mut records = [SegmentRecord::default(); SEGMENTS_MAX];
        let mut count = 0;
        for (record, segment) in records.iter_mut().zip(plan.segments()) {
            *record = SegmentRecord {
                kind: segment.kind as u32,
                start: segment.memory.start(),
                file_len: segment.file_len,
                memory_len: segment.memory.len(),
                ..SegmentRecord::default()
            };
            count += 1;
            let place = memory.bytes(segment.memory);
            if let (Some(place), Some(contents)) = (place, contents(segment.kind)) {
                record.file_len = contents.len();
                let filled = fill(place, contents).unwrap_or_default();
                if segment.kind.is_checked() {
                    record.algorithm = digests.algorithm() as u32;
                    record.digest = digests.digest(filled);
                    add_checked(&mut table, record);
                }
            }
        }

        let place = plan.segment(SegmentKind::PurgatoryTable);
        if let Some(place) = place.and_then(|segment| memory.bytes(segment.memory)) {
            write_table(place, &mut table, digests);
        }
        let elfcorehdr = plan.segment(SegmentKind::Elfcorehdr);
        let elfcorehdr = [elfcorehdr.map(|segment| segment.memory).unwrap_or_default()];
        let mut parts = without([plan.region()], &elfcorehdr);
        // INVARIANT: All segments were written above.
        Self {
            _protections: [(); PARTS_MAX].map(|()| parts.next().and_then(WriteProtection::of)),
            plan,
            records,
            count,
        }
    }

    /// Where everything is.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A record for each segment.
    pub(crate) fn records(&self) -> &[SegmentRecord] {
        self.records.get(..self.count).unwrap_or_default()
    }
}

/// Writes `contents` to the start of `place`, clears the rest, and returns what was written.
fn fill<'a>(place: &'a mut [u8], contents: SegmentContents<'_>) -> Option<&'a [u8]> {
    let len = contents.len() as usize;
    match contents {
        SegmentContents::Kernel(image) => write(&**image, place).ok()?,
        SegmentContents::Bytes(bytes) => {
            place.get_mut(..bytes.len())?.copy_from_slice(bytes);
            place.get_mut(bytes.len()..)?.fill(0);
        }
    }
    handover::publish(place);
    place.get(..len)
}

fn add_checked(table: &mut Table, record: &SegmentRecord) {
    if let Some(checked) = table.checked.get_mut(table.checked_count as usize) {
        *checked = Checked {
            start: record.start,
            len: record.file_len,
            kind: record.kind,
            algorithm: record.algorithm,
            digest: record.digest,
        };
        table.checked_count += 1;
    }
}

// Out of line for the stack: the encoded table, twice.
#[inline(never)]
fn write_table(place: &mut [u8], table: &mut Table, digests: &mut Digests) {
    let digested = table.encode();
    table.sha256 = digests.sha256(digested.get(..DIGESTED_LEN).unwrap_or_default());
    fill(place, SegmentContents::Bytes(&table.encode()));
}
