// SPDX-License-Identifier: GPL-2.0

//! The plan of an image. One for a crash goes beside the one that is armed, where the region has room for
//! both.

use super::{
    elfcorehdr::hotplug,
    handover, //
};
use crate::{
    arch::{
        handover::Sources,
        image::{
            self,
            Image, //
        }, //
    },
    compat::prelude::*,
    refusal::Refusal,
    sys::{
        acpi,
        memory, //
    }, //
};
use kernel::page::PAGE_SIZE;
use kexec_core::{
    dump::elfcorehdr::slots::Slots,
    error::Error,
    handover::{
        command_line::{
            capture_command_line,
            reboot_command_line, //
        },
        UsableMemory, //
    },
    image::KernelImage,
    plan::{
        Placement,
        Placer,
        Plan,
        Room, //
    },
    types::ranges::Range,
    uapi::{
        Replacement,
        SegmentKind, //
    }, //
};

/// What a plan follows from, wherever it is made.
pub(super) struct Needs<'a> {
    pub(super) image: &'a Image<'a>,
    pub(super) initrd: Option<&'a [u8]>,
    pub(super) command_line: &'a [u8],
    pub(super) sources: &'a Sources,
    pub(super) region: Range,
    pub(super) capture: Option<Capture<'a>>,
}

/// What only a capture kernel needs.
#[derive(Clone, Copy)]
pub(super) struct Capture<'a> {
    pub(super) elfcorehdr: &'a hotplug::Prepared,
    /// The memory that it may use.
    pub(super) usable: UsableMemory<'a>,
}

/// A plan, and what depends on where the elfcorehdr is.
pub(super) struct Planned {
    /// In a box: it is handed on by value, and the stack is small.
    pub(super) plan: KBox<Plan>,
    pub(super) slots: Slots,
    command_line: KVec<u8>,
    command_line_len: usize,
}

impl Planned {
    /// The kernel's command line, without the NUL.
    pub(super) fn command_line(&self) -> &[u8] {
        let line = self.command_line.get(..self.command_line_len);
        line.unwrap_or_default()
    }
}

/// The memory of a plan's image, in pages that no other image has any of.
pub(super) fn extent(plan: &Plan) -> Range {
    plan.extent(PAGE_SIZE as u64)
}

/// The memory of the slots of the elfcorehdr, in pages of its own. Empty where the image has none.
pub(super) fn elfcorehdr(plan: &Plan) -> Range {
    let segment = plan.segment(SegmentKind::Elfcorehdr);
    segment.map(|segment| segment.memory).unwrap_or_default()
}

impl Needs<'_> {
    /// Plans the image where nothing else is.
    pub(super) fn plan(&self) -> Result<Planned, Refusal> {
        self.plan_in(Room::whole(self.region))
    }

    /// Plans the image beside what is at `occupied`. Where that leaves too little room, plans it as if
    /// nothing were there.
    pub(super) fn plan_beside_or_instead(
        &self,
        occupied: Option<Range>,
    ) -> Result<Planned, Refusal> {
        match self.plan_beside(occupied)? {
            Some(planned) => Ok(planned),
            None => self.plan(),
        }
    }

    /// Where an image of these lengths would go that replaces this one.
    pub(super) fn replacement(&self, planned: &Planned) -> Result<Replacement, Refusal> {
        Ok(match self.plan_beside(Some(extent(&planned.plan)))? {
            Some(_) => Replacement::Beside,
            None => Replacement::Instead,
        })
    }

    fn plan_beside(&self, occupied: Option<Range>) -> Result<Option<Planned>, Refusal> {
        let rooms = occupied.map(|occupied| Room::beside(self.region, occupied));
        for room in rooms.into_iter().flatten() {
            match self.plan_in(room) {
                Err(Refusal::Core(Error::Plan(error))) if error.is_want_of_room() => {}
                outcome => return outcome.map(Some),
            }
        }
        Ok(None)
    }

    // Out of line for the stack: the placer.
    #[inline(never)]
    fn plan_in(&self, room: Room) -> Result<Planned, Refusal> {
        let packing = room.packing;
        let mut placer = KBox::new(Placer::within(self.region, room.range)?, GFP_KERNEL)?;
        let kernel = placer.place_kernel(self.image, packing)?;
        let limit = image::command_line_limit(self.image);
        let mut command_line = KVec::new();
        command_line.extend_with(limit as usize + 1, 0, GFP_KERNEL)?;
        let (slots, command_line_len) = match self.capture {
            Some(Capture { elfcorehdr, .. }) => {
                let slots = place_slots(elfcorehdr, &mut placer, packing)?;
                let len = capture_command_line(
                    &mut command_line,
                    self.command_line,
                    slots.start,
                    acpi::is_enabled(),
                    limit,
                )?;
                (slots, len)
            }
            None => {
                let len = reboot_command_line(&mut command_line, self.command_line, limit)?;
                (Slots::NONE, len)
            }
        };
        handover::place(
            self.sources,
            &mut placer,
            packing,
            self.region,
            self.capture.map(|capture| capture.usable),
            command_line_len,
        )?;
        if let Some(initrd) = self.initrd {
            let limit = image::initrd_limit(self.image, kernel.memory);
            placer.place_initrd(initrd.len() as u64, packing, limit)?;
        }
        let entry = kernel
            .memory
            .start()
            .wrapping_add(self.image.entry_offset());
        Ok(Planned {
            plan: KBox::new(placer.finish(entry, memory::total())?, GFP_KERNEL)?,
            slots,
            command_line,
            command_line_len,
        })
    }
}

/// Places the slots of the elfcorehdr. They are write-protected apart from the rest, so they have pages of
/// their own.
fn place_slots(
    elfcorehdr: &hotplug::Prepared,
    placer: &mut Placer,
    packing: Placement,
) -> Result<Slots, Refusal> {
    let page_len = PAGE_SIZE as u64;
    let (slot_len, slots_len) =
        Slots::lens(elfcorehdr.len_max(), page_len).ok_or(Refusal::OutOfMemory)?;
    let segment = placer.place(
        SegmentKind::Elfcorehdr,
        elfcorehdr.len(),
        slots_len,
        page_len,
        packing,
        Range::ALL,
    )?;
    Ok(Slots {
        start: segment.memory.start(),
        slot_len,
    })
}
