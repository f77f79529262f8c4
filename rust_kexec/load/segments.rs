// SPDX-License-Identifier: GPL-2.0

//! The segments of an image in their places, and how they are guarded.

use super::{
    digests::Digests,
    handover::Staging,
    placing,
    write_protection::WriteProtection, //
};
use crate::{
    arch::handover,
    compat::prelude::*,
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::{
        physical::{
            ReservedMemory,
            Views, //
        },
        words, //
    }, //
};
use core::cell::RefCell;
use kexec_core::{
    dump::elfcorehdr::slots::Slots,
    handover::{
        check::{
            self,
            Damage, //
        },
        copy::{
            copy,
            Contents,
            Damaged,
            Destination,
            Records, //
        },
        purgatory::Table, //
    },
    image::KernelImage,
    plan::Plan,
    types::{
        digest::{
            Algorithm,
            DIGEST_LEN, //
        },
        ranges::Range, //
    },
    uapi::{
        Protection,
        SegmentKind,
        SegmentRecord, //
    }, //
};

/// How many parts of the image's memory the elfcorehdr's segment leaves.
const PARTS_MAX: usize = 2;

/// Segments that are not in their places yet.
///
/// In boxes: an image is handed on by value, and the stack is small.
pub(super) struct Unwritten {
    pub(super) plan: KBox<Plan>,
    records: KBox<Records>,
    table: KBox<Table>,
}

impl Unwritten {
    /// The segments of a plan.
    pub(super) fn new(plan: KBox<Plan>) -> Result<Self, Refusal> {
        Ok(Self {
            plan,
            records: KBox::new(Records::default(), GFP_KERNEL)?,
            table: KBox::new(Table::default(), GFP_KERNEL)?,
        })
    }
}

/// The segments of an image in the region, but for the elfcorehdr, which changes.
///
/// # Invariants
///
/// Every segment of `plan` but that one was copied to its place, and `records` has the digest of each.
/// The region is reserved memory while the value lives, the image's part of it is mapped at `views`, and
/// nothing but accidents writes to it.
pub(crate) struct Segments {
    plan: KBox<Plan>,
    records: KBox<Records>,
    views: Views,
    protections: [Option<WriteProtection>; PARTS_MAX],
}

impl Segments {
    /// Copies what `contents` has for each segment, then the purgatory's table, which names the
    /// address of the crash report and the slots of the elfcorehdr. `memory` is what the image has
    /// of the region: all of it is write-protected then. A copy that is not what was copied is refused.
    // Out of line for the stack: the records.
    #[inline(never)]
    pub(super) fn write<'a, T: KernelImage + 'a>(
        memory: &mut ReservedMemory,
        unwritten: Unwritten,
        report: u64,
        elfcorehdr: Slots,
        staging: &Staging,
        digests: &mut Digests,
        contents: impl Fn(SegmentKind) -> Option<Contents<'a, T>>,
    ) -> Result<Self, RegionError> {
        let Unwritten {
            plan,
            mut records,
            mut table,
        } = unwritten;
        table.entry = plan.entry();
        table.report = report;
        table.elfcorehdr = elfcorehdr;
        staging.fill_table(&mut table, &plan);
        let algorithm = digests.algorithm();
        let mut destination = Memory { memory, digests };
        copy(
            &plan,
            &mut table,
            algorithm,
            &mut destination,
            contents,
            &mut records,
        )
        .map_err(|Damaged { kind, memory }| RegionError::Damaged {
            what: kind.name(),
            memory,
        })?;
        // INVARIANT: All segments were written above.
        Ok(Self {
            protections: protect(memory, &plan),
            views: memory.views(),
            plan,
            records,
        })
    }

    /// Where everything is.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A record for each segment.
    pub(crate) fn records(&self) -> &[SegmentRecord] {
        self.records.as_slice()
    }

    /// Whether the kernel's page tables forbid writes to them.
    pub(crate) fn protection(&self) -> Protection {
        // The elfcorehdr is at an edge, or between the two parts.
        match self.protections.iter().flatten().count() {
            0 => Protection::Writable,
            _ => Protection::ReadOnly,
        }
    }

    /// Checks all of it, as after the load. Not for the crash path.
    pub(super) fn check(&self, digests: &mut Digests) -> Result<(), Damage> {
        check::everything(
            self.records(),
            &Digested(&self.views, RefCell::new(digests)),
        )
    }

    /// Checks what the purgatory cannot check. For the crash path: takes no lock.
    // scripts/check-crash-path follows it.
    pub(crate) fn check_before_the_jump(&self) -> Result<(), Damage> {
        check::before_the_jump(self.records(), &InPlace(self))
    }
}

/// Write-protects an image's memory, but for the elfcorehdr's segment.
fn protect(memory: &ReservedMemory, plan: &Plan) -> [Option<WriteProtection>; PARTS_MAX] {
    let elfcorehdr = placing::elfcorehdr(plan);
    let views = memory.views();
    let mut parts = views
        .iter()
        .filter(|view| !view.range().overlaps(&elfcorehdr));
    [(); PARTS_MAX].map(|()| parts.next().and_then(WriteProtection::of))
}

/// The image's memory while it is filled.
struct Memory<'a> {
    memory: &'a mut ReservedMemory,
    digests: &'a mut Digests,
}

impl Destination for Memory<'_> {
    fn bytes(&mut self, range: Range) -> Option<&mut [u8]> {
        self.memory.bytes(range)
    }

    fn publish(&mut self, range: Range) {
        if let Some(place) = self.memory.bytes(range) {
            handover::publish(place);
        }
    }

    fn digest(&mut self, algorithm: Algorithm, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        self.digests.digest_by(algorithm, bytes)
    }

    fn digest_written(&mut self, algorithm: Algorithm, range: Range) -> [u8; DIGEST_LEN] {
        let bytes = self.memory.bytes(range).unwrap_or_default();
        self.digests.digest_by(algorithm, bytes)
    }

    fn digest_compared(
        &mut self,
        algorithm: Algorithm,
        bytes: &[u8],
        copy: Range,
    ) -> Option<[u8; DIGEST_LEN]> {
        let copy = self.memory.bytes(copy)?;
        self.digests.digest_compared(algorithm, bytes, copy)
    }
}

/// The image as the kernel maps it, with digests by every algorithm.
struct Digested<'a>(&'a Views, RefCell<&'a mut Digests>);

impl check::Memory for Digested<'_> {
    fn bytes(&self, range: Range) -> Option<&[u8]> {
        // SAFETY: By the invariant of the segments, whose views these are.
        unsafe { self.0.bytes(range) }
    }

    fn digest(&self, algorithm: Algorithm, bytes: &[u8]) -> Option<[u8; DIGEST_LEN]> {
        let mut digests = self.1.try_borrow_mut().ok()?;
        Some(digests.digest_by(algorithm, bytes))
    }
}

/// The image as the kernel maps it, while the segments are in their places.
struct InPlace<'a>(&'a Segments);

impl check::Memory for InPlace<'_> {
    fn bytes(&self, range: Range) -> Option<&[u8]> {
        // SAFETY: By the invariant of the segments.
        unsafe { self.0.views.bytes(range) }
    }

    fn digest(&self, algorithm: Algorithm, bytes: &[u8]) -> Option<[u8; DIGEST_LEN]> {
        match algorithm {
            Algorithm::Xxh64 => Some(words::xxh64(bytes)),
            Algorithm::Sha256 => None,
        }
    }
}
