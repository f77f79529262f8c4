// SPDX-License-Identifier: GPL-2.0

//! Planning an image, building it aside, and copying it to its place.
//!
//! Everything that can fail happens in [`prepare`], while an earlier image is still armed.
//! [`Prepared::commit`] cannot fail.

use super::digests::{check_digestible, Digests};
use super::elfcorehdr::contents;
use super::elfcorehdr::hotplug;
use super::files::UnpackedFiles;
use super::handover::{self, Staging};
use super::image::{CrashImage, LoadedImage};
use super::segments::Segments;
use crate::arch::handover::{Jump, Sources};
use crate::arch::{hypervisor, image, quiesce::Interrupts};
use crate::compat::prelude::*;
use crate::record::CrashRecord;
use crate::refusal::{MachineError, Refusal};
use crate::reserve::Reservation;
use crate::sys::physical::ReservedMemory;
use crate::sys::{acpi, memory};
use core::mem::MaybeUninit;
use kernel::sync::Arc;
use kexec_core::dump::elfcorehdr::slots::Slots;
use kexec_core::handover::command_line::capture_command_line;
use kexec_core::handover::copy::Contents;
use kexec_core::image::KernelImage;
use kexec_core::plan::{Placement, Placer, Plan};
use kexec_core::types::ranges::Range;
use kexec_core::uapi::{Decompression, SegmentKind, SignatureState};

/// An image that was verified, planned and built, but is not in its place yet.
pub(crate) struct Prepared<'a> {
    image: image::Image<'a>,
    decompression: Decompression,
    signature: SignatureState,
    initrd: &'a [u8],
    elfcorehdr: hotplug::Prepared,
    slots: Slots,
    staging: Staging,
    digests: Digests,
    plan: Plan,
    place: KBox<MaybeUninit<CrashImage>>,
    jump: Jump,
    interrupts: Interrupts,
    record: Arc<CrashRecord>,
}

/// Verifies the files, plans the segments and builds their contents.
// Out of line for the stack: the plan and all parts of the image.
#[inline(never)]
pub(crate) fn prepare<'a>(
    files: &'a UnpackedFiles<'a>,
    reservation: &Reservation,
) -> Result<Prepared<'a>, Refusal> {
    if memory::is_encrypted() {
        return Err(MachineError::MemoryEncrypted.into());
    }
    hypervisor::check()?;
    let region = reservation.region();
    let (image, decompression) = image::verify(
        files.kernel.bytes(),
        files.inner,
        files.command_line,
        region,
    )?;
    let initrd = files.initrd.unwrap_or_default();
    check_digestible("kernel", image.file_len())?;
    check_digestible("initrd", initrd.len() as u64)?;

    let sources = Sources::read()?;
    let record = Arc::new(CrashRecord::new()?, GFP_KERNEL)?;
    let headers = contents::Sources::new(record.clone(), reservation)?;
    let headers = hotplug::Prepared::new(headers)?;

    let mut placer = Placer::new(region)?;
    let kernel = placer.place_kernel(&image, Placement::Lowest)?;
    // The slots are write-protected apart from the rest, so they have pages of their own.
    let page_len = kernel::page::PAGE_SIZE as u64;
    let (slot_len, slots_len) =
        Slots::lens(headers.len_max(), page_len).ok_or(Refusal::OutOfMemory)?;
    let elfcorehdr = placer.place(
        SegmentKind::Elfcorehdr,
        headers.len(),
        slots_len,
        page_len,
        Placement::Highest,
        Range::ALL,
    )?;
    let slots = Slots {
        start: elfcorehdr.memory.start(),
        slot_len,
    };
    let limit = image::command_line_limit(&image);
    let mut command_line = KVec::new();
    command_line.extend_with(limit as usize + 1, 0, GFP_KERNEL)?;
    let command_line_len = capture_command_line(
        &mut command_line,
        files.command_line,
        slots.start,
        acpi::is_enabled(),
        limit,
    )?;
    let command_line = command_line.get(..command_line_len).unwrap_or_default();
    handover::place(&sources, &mut placer, reservation, command_line.len())?;
    if files.initrd.is_some() {
        let limit = image::initrd_limit(&image, kernel.memory);
        placer.place_initrd(initrd.len() as u64, Placement::Highest, limit)?;
    }
    let entry = kernel.memory.start().wrapping_add(image.entry_offset());
    let plan = placer.finish(entry, memory::total())?;

    let staging = Staging::build(
        &sources,
        &plan,
        &image,
        reservation,
        command_line,
        initrd.len() as u64,
        record.report.memory(),
    )?;
    Ok(Prepared {
        decompression,
        signature: files.kernel.finding().state(),
        initrd,
        elfcorehdr: headers,
        slots,
        staging,
        digests: Digests::new(files.digest),
        place: KBox::new_uninit(GFP_KERNEL)?,
        jump: Jump::new(&plan)?,
        interrupts: Interrupts::find()?,
        record,
        plan,
        image,
    })
}

impl Prepared<'_> {
    /// Copies the image into the region and records its digests.
    ///
    /// # Safety
    ///
    /// No image may be armed, because its memory is overwritten, and the region must still be
    /// reserved.
    // Out of line for the stack: the image on its way into its box.
    #[inline(never)]
    pub(crate) unsafe fn commit(mut self) -> KBox<CrashImage> {
        let contents = |kind| match kind {
            SegmentKind::Kernel => Some(Contents::Kernel(&self.image)),
            SegmentKind::Initrd => Some(Contents::Bytes(self.initrd)),
            other => self.staging.contents(other).map(Contents::Bytes),
        };
        let (report, staging) = (self.record.report.contents(), &self.staging);
        let (slots, digests) = (self.slots, &mut self.digests);
        // SAFETY: The caller vouches for the region.
        let segments =
            unsafe { Segments::write(self.plan, report, slots, staging, digests, contents) };
        let elfcorehdr = segments.plan().segment(SegmentKind::Elfcorehdr);
        let elfcorehdr = elfcorehdr.map(|segment| segment.memory).unwrap_or_default();
        // SAFETY: As above. Nothing else of the image is in this segment.
        let elfcorehdr = unsafe { ReservedMemory::new(elfcorehdr) };
        KBox::write(
            self.place,
            CrashImage {
                _following: self.elfcorehdr.follow(elfcorehdr, self.slots, self.digests),
                loaded: LoadedImage {
                    segments,
                    decompression: self.decompression,
                    signature: self.signature,
                    jump: self.jump,
                    interrupts: self.interrupts,
                },
                record: self.record,
            },
        )
    }
}
