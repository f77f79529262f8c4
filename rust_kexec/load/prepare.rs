// SPDX-License-Identifier: GPL-2.0

//! Planning an image for a crash, building it aside, and copying it to its place.
//!
//! Everything that can be wrong with an image is found in [`prepare`], while an earlier image is still
//! armed. Copying fails only where memory does not keep what is written to it.

use super::{
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
        Capture,
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
        quiesce::Interrupts,
        EnteredFrom, //
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
        physical::{
            ReservedMemory,
            Windows, //
        }, //
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
    segments: Unwritten,
    memory: Taken,
}

/// An image whose memory another one still has.
pub(crate) struct Instead<'a> {
    staged: KBox<Staged<'a>>,
    segments: Unwritten,
    windows: Windows,
}

/// An image that was verified, planned and built, but is not in its place yet.
struct Staged<'a> {
    image: image::Image<'a>,
    decompression: Decompression,
    signature: SignatureState,
    replacement: Replacement,
    shares_memory: bool,
    initrd: &'a [u8],
    elfcorehdr: hotplug::Prepared,
    slots: Slots,
    staging: Staging,
    digests: Digests,
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

    let sources = Sources::read(files.device_tree)?;
    let record = Arc::new(CrashRecord::new()?, GFP_KERNEL)?;
    let headers = contents::Sources::new(record.clone(), reservation)?;
    let headers = hotplug::Prepared::new(headers)?;

    let needs = Needs {
        image: &image,
        initrd: files.initrd,
        command_line: files.command_line,
        sources: &sources,
        region,
        capture: Some(Capture {
            elfcorehdr: &headers,
            usable: reservation.usable(),
        }),
    };
    let planned = needs.plan_beside_or_instead(claim.occupied())?;
    let replacement = needs.replacement(&planned)?;
    let slots = planned.slots;

    let staging = Staging::build(
        &sources,
        &planned.plan,
        &image,
        Some(reservation.usable()),
        planned.command_line(),
        initrd.len() as u64,
        EnteredFrom::Kernel {
            report: Some(record.report.memory()),
        },
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
            shares_memory: !reservation.shared().is_empty(),
            initrd,
            elfcorehdr: headers,
            slots,
            staging,
            digests: Digests::new(files.digest),
            place: KBox::new_uninit(GFP_KERNEL)?,
            jump: Jump::new(&planned.plan)?,
            interrupts: Interrupts::find()?,
            record,
            image,
        },
        GFP_KERNEL,
    )?;
    let segments = Unwritten::new(planned.plan)?;
    Ok(match claim.take(windows) {
        Ok(memory) => Prepared::Beside(Beside {
            staged,
            segments,
            memory,
        }),
        Err(windows) => Prepared::Instead(Instead {
            staged,
            segments,
            windows,
        }),
    })
}

impl Beside<'_> {
    /// Copies the image into the region, and checks the copy.
    pub(crate) fn copy(self, claim: &mut Claim) -> Result<Loaded, Refusal> {
        Staged::copy(self.staged, self.segments, self.memory, claim)
    }
}

impl Instead<'_> {
    /// Copies the image into the region, which the one before must have left, and checks the copy.
    pub(crate) fn copy(self, claim: &mut Claim) -> Result<Loaded, Refusal> {
        let memory = claim.take(self.windows);
        let memory = memory.map_err(|windows| RegionError::Occupied(windows.range()))?;
        Staged::copy(self.staged, self.segments, memory, claim)
    }
}

impl Staged<'_> {
    /// Copies the image into its memory, compares what is there with what was to be, records its digests, and
    /// protects it. The memory goes back where that differs.
    fn copy(
        mut staged: KBox<Self>,
        segments: Unwritten,
        mut memory: Taken,
        claim: &mut Claim,
    ) -> Result<Loaded, Refusal> {
        let reserved = memory.memory();
        let image = staged.write(segments, reserved).and_then(|segments| {
            let elfcorehdr = placing::elfcorehdr(segments.plan());
            // SAFETY: A part of the image's memory, which lives longer. Nothing else of the image is in it.
            let memory = unsafe { reserved.part(elfcorehdr) };
            let memory = memory.ok_or(RegionError::Occupied(elfcorehdr))?;
            Self::follow(staged, segments, memory)
        });
        match image {
            Ok(image) => Ok(Loaded::new(image, memory)),
            Err(error) => {
                claim.give_back(memory);
                Err(error.into())
            }
        }
    }

    /// Copies the segments to their places, and compares.
    fn write(
        &mut self,
        segments: Unwritten,
        reserved: &mut ReservedMemory,
    ) -> Result<Segments, RegionError> {
        let contents = |kind| match kind {
            SegmentKind::Kernel => Some(Contents::Kernel(&self.image)),
            SegmentKind::Initrd => Some(Contents::Bytes(self.initrd)),
            other => self.staging.contents(other).map(Contents::Bytes),
        };
        let report = self.record.report.contents();
        let (staging, digests) = (&self.staging, &mut self.digests);
        Segments::write(
            reserved, segments, report, self.slots, staging, digests, contents,
        )
    }

    /// Fills in the elfcorehdr, which follows the memory from then on. Nothing of the image is left where
    /// that fails.
    // Out of line for the stack: the image on its way into its box.
    #[inline(never)]
    fn follow(
        staged: KBox<Self>,
        segments: Segments,
        elfcorehdr: ReservedMemory,
    ) -> Result<KBox<CrashImage>, RegionError> {
        let staged = KBox::into_inner(staged);
        let following = staged
            .elfcorehdr
            .follow(elfcorehdr, staged.slots, staged.digests)?;
        Ok(KBox::write(
            staged.place,
            CrashImage {
                following,
                loaded: LoadedImage {
                    segments,
                    decompression: staged.decompression,
                    signature: staged.signature,
                    replacement: staged.replacement,
                    shares_memory: staged.shares_memory,
                    jump: staged.jump,
                    interrupts: staged.interrupts,
                },
                record: staged.record,
            },
        ))
    }
}
