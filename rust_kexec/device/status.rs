// SPDX-License-Identifier: GPL-2.0

//! The status: what is armed, and the memory for it.

use super::structures::Crossing;
use crate::{
    armed::{
        self,
        CrashHooks, //
    },
    compat::prelude::*,
    crash::{
        self,
        Hooks, //
    },
    reboot,
    reserve::Reservation,
    sys::kexec, //
};
use kexec_core::{
    types::ranges::Range,
    uapi::{
        RegionHolder,
        RegionRecord,
        Status,
        ROLE_PRODUCTION, //
    }, //
};

/// What the module says of itself.
// Out of line for the stack: the structure on its way into its box.
#[inline(never)]
pub(super) fn status() -> Result<KBox<Crossing<Status>>> {
    let mut boxed = KBox::new(Crossing(Status::default()), GFP_KERNEL)?;
    let Crossing(status) = &mut *boxed;
    status.role = ROLE_PRODUCTION;
    let slot = armed::lock();
    if let Ok(reservation) = slot.reservation() {
        describe(&reservation, status);
    }
    if let Some(image) = slot.image() {
        let (records, image) = (image.following.records(), &image.loaded);
        let segments = &image.segments;
        status.armed = 1;
        status.hooks = Hooks::by() as u32;
        status.holder = RegionHolder::Module as u32;
        status.protection = segments.protection() as u32;
        status.entry = segments.plan().entry();
        status.signature = image.signature as u32;
        status.decompression = image.decompression as u32;
        for (to, from) in status.segments.iter_mut().zip(segments.records()) {
            *to = *from;
            status.segment_count += 1;
        }
        status.replacement = image.replacement as u32;
        if let Some((segment, elfcorehdr)) = records {
            let mut places = status.segments.iter_mut();
            if let Some(place) = places.find(|to| to.kind == segment.kind) {
                *place = segment;
            }
            status.elfcorehdr = elfcorehdr;
        }
    }
    drop(slot);
    if let Some(image) = reboot::lock().image() {
        status.reboot_image = record(image.memory());
        status.reboot_entry = image.entry();
        status.reboot_signature = image.signature as u32;
        status.reboot_decompression = image.decompression as u32;
        status.reboot_place = image.place() as u32;
    }
    Ok(boxed)
}

fn describe(reservation: &Reservation, status: &mut Status) {
    let (region, low) = (reservation.region(), reservation.low_region());
    // An image of ours is found later.
    status.holder = match kexec::has_image() {
        true => RegionHolder::Kernel,
        false => RegionHolder::Nobody,
    } as u32;
    status.source = reservation.source() as u32;
    status.region = record(region);
    status.low_region = low.map(record).unwrap_or_default();
    let more = reservation.regions().iter().copied();
    let more = more.filter(|other| *other != region && Some(*other) != low);
    for (to, from) in status.more_regions.iter_mut().zip(more) {
        *to = record(from);
        status.more_region_count += 1;
    }
    let shared = reservation.shared();
    for (to, from) in status.shared_regions.iter_mut().zip(shared) {
        *to = record(*from);
        status.shared_region_count += 1;
    }
    if !shared.is_empty() {
        status.shared_wait = crash::SHARED_WAIT_MILLISECONDS;
    }
}

fn record(range: Range) -> RegionRecord {
    RegionRecord {
        start: range.start(),
        len: range.len(),
    }
}
