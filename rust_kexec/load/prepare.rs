// SPDX-License-Identifier: GPL-2.0

//! Planning an image, building it aside, and copying it to its place.
//!
//! Everything that can be wrong with an image is found in [`prepare`], while an earlier image is still
//! armed. Copying fails only where memory does not keep what is written to it.

use super::{
    check::check,
    digests::{
        check_digestible,
        Digests, //
    },
    elfcorehdr::{
        contents,
        hotplug, //
    },
    files::UnpackedFiles,
    handover::Staging,
    image::{
        CrashImage,
        Loaded,
        LoadedImage, //
    },
    placing::{
        self,
        Needs, //
    },
    segments::{
        Segments,
        Unwritten, //
    }, //
};
use crate::{
    arch::{
        handover::{
            Jump,
            Sources, //
        },
        hypervisor,
        image,
        quiesce::Interrupts, //
    },
    compat::prelude::*,
    record::CrashRecord,
    refusal::{
        MachineError,
        Refusal,
        RegionError, //
    },
    reserve::{
        Claim,
        Taken, //
    },
    sys::{
        memory,
        physical::Windows, //
    }, //
};
use core::mem::MaybeUninit;
use kernel::sync::Arc;
use kexec_core::{
    dump::elfcorehdr::slots::Slots,
    handover::copy::Contents,
    image::KernelImage,
    uapi::{
        Decompression,
        Replacement,
        SegmentKind,
        SignatureState, //
    }, //
};

/// An image that is ready to be copied, by where it goes.
pub(crate) enum Prepared<'a> {
    /// To memory that is free, beside the armed image if there is one, which stays armed meanwhile.
    Beside(Beside<'a>),
    /// To memory that the armed image has to leave before.
    Instead(Instead<'a>),
}

/// An image, and its memory.
pub(crate) struct Beside<'a> {
    staged: KBox<Staged<'a>>,
    memory: Taken,
}

/// An image whose memory another one still has.
pub(crate) struct Instead<'a> {
    staged: KBox<Staged<'a>>,
    windows: Windows,
}

/// An image that was verified, planned and built, but is not in its place yet.
struct Staged<'a> {
    image: image::Image<'a>,
    decompression: Decompression,
    signature: SignatureState,
    replacement: Replacement,
    initrd: &'a [u8],
    elfcorehdr: hotplug::Prepared,
    slots: Slots,
    staging: Staging,
    digests: Digests,
    segments: Unwritten,
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
    claim: &mut Claim,
) -> Result<Prepared<'a>, Refusal> {
    let reservation = claim.reservation();
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

    let needs = Needs {
        image: &image,
        initrd: files.initrd,
        command_line: files.command_line,
        sources: &sources,
        elfcorehdr: &headers,
        reservation,
    };
    let planned = needs.plan(claim.occupied())?;
    let replacement = needs.replacement(&planned)?;
    let slots = planned.slots;

    let staging = Staging::build(
        &sources,
        &planned.plan,
        &image,
        reservation,
        planned.command_line(),
        initrd.len() as u64,
        record.report.memory(),
    )?;
    let windows = reservation.windows(
        placing::extent(&planned.plan),
        placing::elfcorehdr(&planned.plan),
    )?;
    let staged = KBox::new(
        Staged {
            decompression,
            signature: files.kernel.finding().state(),
            replacement,
            initrd,
            elfcorehdr: headers,
            slots,
            staging,
            digests: Digests::new(files.digest),
            place: KBox::new_uninit(GFP_KERNEL)?,
            jump: Jump::new(&planned.plan)?,
            interrupts: Interrupts::find()?,
            record,
            segments: Unwritten::new(planned.plan)?,
            image,
        },
        GFP_KERNEL,
    )?;
    Ok(match claim.take(windows) {
        Ok(memory) => Prepared::Beside(Beside { staged, memory }),
        Err(windows) => Prepared::Instead(Instead { staged, windows }),
    })
}

impl Beside<'_> {
    /// Copies the image into the region, and checks the copy.
    pub(crate) fn copy(self, claim: &mut Claim) -> Result<Loaded, Refusal> {
        Staged::copy(self.staged, self.memory, claim)
    }
}

impl Instead<'_> {
    /// Copies the image into the region, which the one before must have left, and checks the copy.
    pub(crate) fn copy(self, claim: &mut Claim) -> Result<Loaded, Refusal> {
        let memory = claim.take(self.windows);
        let memory = memory.map_err(|windows| RegionError::Occupied(windows.range()))?;
        Staged::copy(self.staged, memory, claim)
    }
}

impl Staged<'_> {
    /// Copies the image into its memory, records its digests, protects it, and compares what is there
    /// with what was to be. The memory goes back where that differs.
    // Out of line for the stack: the image on its way into its box.
    #[inline(never)]
    fn copy(
        staged: KBox<Staged<'_>>,
        mut memory: Taken,
        claim: &mut Claim,
    ) -> Result<Loaded, Refusal> {
        let mut staged = KBox::into_inner(staged);
        let contents = |kind| match kind {
            SegmentKind::Kernel => Some(Contents::Kernel(&staged.image)),
            SegmentKind::Initrd => Some(Contents::Bytes(staged.initrd)),
            other => staged.staging.contents(other).map(Contents::Bytes),
        };
        let (report, staging) = (staged.record.report.contents(), &staged.staging);
        let (slots, digests) = (staged.slots, &mut staged.digests);
        let reserved = memory.memory();
        let segments = Segments::write(
            reserved,
            staged.segments,
            report,
            slots,
            staging,
            digests,
            contents,
        );
        let checked = check(reserved, segments.records(), digests, contents);
        let elfcorehdr = placing::elfcorehdr(segments.plan());
        // SAFETY: A part of the image's memory, which lives longer. Nothing else of the image is in it.
        let elfcorehdr =
            unsafe { reserved.part(elfcorehdr) }.ok_or(RegionError::Occupied(elfcorehdr));
        let following = checked
            .and(elfcorehdr)
            .and_then(|memory| staged.elfcorehdr.follow(memory, slots, staged.digests));
        let following = match following {
            Ok(following) => following,
            Err(error) => {
                drop(segments);
                claim.give_back(memory);
                return Err(error.into());
            }
        };
        let image = KBox::write(
            staged.place,
            CrashImage {
                following,
                loaded: LoadedImage {
                    segments,
                    decompression: staged.decompression,
                    signature: staged.signature,
                    replacement: staged.replacement,
                    jump: staged.jump,
                    interrupts: staged.interrupts,
                },
                record: staged.record,
            },
        );
        Ok(Loaded::new(image, memory))
    }
}
