// SPDX-License-Identifier: GPL-2.0

//! The segment of the purgatory, as far as the architectures have it alike: the code, then the tables
//! of the identity map that it runs on, the top one first.

use crate::{
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal, //
    }, //
};
use kernel::alloc::AllocError;
use kexec_core::{
    handover::purgatory::Head,
    plan::Plan,
    types::ranges::Range,
    uapi::SegmentKind, //
};

/// How long the segments are that carry a capture kernel besides itself.
pub(crate) struct Lens {
    /// Its boot parameters or device tree.
    pub(crate) argument: u64,
    /// The purgatory, with its page tables.
    pub(crate) purgatory: u64,
}

/// Who enters the purgatory, which decides on what its page tables map besides the image's region.
#[derive(Clone, Copy)]
pub(crate) enum EnteredFrom {
    /// The running kernel. After a crash the purgatory writes to the report, which does not cross a page.
    Kernel { report: Option<Range> },
    /// The relocator, whose code is in this page. Nothing is left of the running kernel.
    Relocator(Range),
}

impl EnteredFrom {
    /// The page that is mapped besides, if there is one.
    pub(super) fn page(&self) -> Option<Range> {
        match self {
            Self::Kernel { report } => *report,
            Self::Relocator(code) => Some(*code),
        }
    }
}

/// The purgatory of an architecture: position-independent, entered at its first byte, its stack
/// inside.
pub(super) struct Purgatory {
    pub(super) code: &'static [u8],
    /// The alignment of the tables, which is their length.
    pub(super) table_len: u64,
}

impl Purgatory {
    /// Where in the segment the page tables start.
    pub(super) fn tables_offset(&self) -> u64 {
        (self.code.len() as u64).next_multiple_of(self.table_len)
    }

    /// Where the page tables start in a plan's segment.
    pub(super) fn tables(&self, plan: &Plan) -> Result<u64, Refusal> {
        Ok(memory_of(plan, SegmentKind::Purgatory)?.start() + self.tables_offset())
    }

    /// The contents of the segment, for a console of this kind and address.
    pub(super) fn segment<'a>(
        &self,
        (console_kind, console_base): (u32, u64),
        entries: impl Iterator<Item = &'a u64>,
    ) -> Result<KVVec<u8>, AllocError> {
        let mut bytes = KVVec::new();
        bytes.extend_from_slice(self.code, GFP_KERNEL)?;
        Head::set_console(&mut bytes, console_kind, console_base);
        let padding = self.tables_offset() as usize - self.code.len();
        bytes.extend_with(padding, 0, GFP_KERNEL)?;
        for entry in entries {
            bytes.extend_from_slice(&entry.to_le_bytes(), GFP_KERNEL)?;
        }
        Ok(bytes)
    }
}

/// The addresses that the jump needs.
pub(super) struct Addresses {
    /// The top table of the identity map.
    pub(super) top_table: u64,
    /// The entry of the purgatory.
    pub(super) entry: u64,
    /// The table that the purgatory reads.
    pub(super) table: u64,
}

impl Addresses {
    /// Takes the addresses from a plan.
    pub(super) fn of(plan: &Plan, purgatory: &Purgatory) -> Result<Self, Refusal> {
        Ok(Self {
            top_table: purgatory.tables(plan)?,
            entry: memory_of(plan, SegmentKind::Purgatory)?.start(),
            table: memory_of(plan, SegmentKind::PurgatoryTable)?.start(),
        })
    }
}

/// The memory of a segment that the stage before has placed.
pub(super) fn memory_of(plan: &Plan, kind: SegmentKind) -> Result<Range, Refusal> {
    let segment = plan.segment(kind).ok_or(MachineError::Missing {
        what: kind.name(),
        remedy: "report this, with the command that led to it",
    })?;
    Ok(segment.memory)
}
