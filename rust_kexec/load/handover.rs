// SPDX-License-Identifier: GPL-2.0

//! The segments that carry a kernel besides itself: what it is told, the purgatory, and the purgatory's
//! table.

use crate::{
    arch::{
        handover::{
            self,
            Sources, //
        },
        image::Image,
        EnteredFrom, //
    },
    compat::prelude::*,
    refusal::Refusal, //
};
use kexec_core::{
    handover::{
        purgatory::Table,
        Purpose,
        UsableMemory, //
    },
    plan::{
        Placement,
        Placer,
        Plan, //
    },
    types::ranges::Range,
    uapi::SegmentKind, //
};

/// Places the segments that [`Staging`] will fill. `command_line_len` is without the NUL.
pub(super) fn place(
    sources: &Sources,
    placer: &mut Placer,
    packing: Placement,
    region: Range,
    usable: Option<UsableMemory<'_>>,
    command_line_len: usize,
) -> Result<(), Refusal> {
    let lens = sources.lens(region, usable, command_line_len)?;
    for (kind, len) in [
        (handover::ARGUMENT, lens.argument),
        (SegmentKind::Purgatory, lens.purgatory),
        (SegmentKind::PurgatoryTable, size_of::<Table>() as u64),
    ] {
        let alignment = handover::alignment();
        placer.place(kind, len, len, alignment, packing, Range::ALL)?;
    }
    Ok(())
}

/// The contents of the segments, built aside while an earlier image is still armed.
pub(super) struct Staging {
    argument: KVVec<u8>,
    purgatory: KVVec<u8>,
    /// How the kernel is entered, as flags of the purgatory's table.
    flags: u32,
}

impl Staging {
    /// Builds them for a plan in which all segments have their places. `usable` is what a capture kernel may
    /// use; a kernel that a reboot enters has all.
    pub(super) fn build(
        sources: &Sources,
        plan: &Plan,
        image: &Image<'_>,
        usable: Option<UsableMemory<'_>>,
        command_line: &[u8],
        initrd_len: u64,
        entered_from: EnteredFrom,
    ) -> Result<Self, Refusal> {
        let initrd = plan
            .segment(SegmentKind::Initrd)
            .and_then(|initrd| Range::from_start_len(initrd.memory.start(), initrd_len));
        let purpose = match usable {
            Some(_) => Purpose::Crash,
            None => Purpose::Reboot,
        };
        Ok(Self {
            argument: sources.argument(plan, image, usable, command_line, initrd)?,
            purgatory: sources.purgatory(plan, command_line, entered_from)?,
            flags: handover::flags(image, purpose),
        })
    }

    /// The contents of a segment of this kind, if they are built here.
    pub(super) fn contents(&self, kind: SegmentKind) -> Option<&[u8]> {
        match kind {
            handover::ARGUMENT => Some(&self.argument),
            SegmentKind::Purgatory => Some(&self.purgatory),
            _ => None,
        }
    }

    /// Fills in the parts of the purgatory's table that say how the kernel is entered.
    pub(super) fn fill_table(&self, table: &mut Table, plan: &Plan) {
        table.flags = self.flags;
        if let Some(argument) = plan.segment(handover::ARGUMENT) {
            table.argument = argument.memory.start();
        }
    }
}
