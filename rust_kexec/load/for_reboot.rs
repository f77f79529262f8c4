// SPDX-License-Identifier: GPL-2.0

//! Loading an image that a reboot enters. It lies where it will run, in memory that the running kernel has
//! emptied for it, and is checked as one for a crash is.

use super::{
    check::check,
    digests::{
        check_digestible,
        Digests, //
    },
    files::UnpackedFiles,
    handover::Staging,
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
        image, //
    },
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal, //
    },
    reserve::RebootMemory,
    sys::memory, //
};
use kexec_core::{
    contiguous::ALIGNMENT,
    dump::elfcorehdr::slots::Slots,
    handover::{
        check::Damage,
        copy::Contents, //
    },
    image::KernelImage,
    types::ranges::Range,
    uapi::{
        Decompression,
        SegmentKind,
        SignatureState, //
    }, //
};

/// An image that a reboot enters, in its place.
pub(crate) struct RebootImage {
    // Its write protection is dropped before its memory is.
    segments: Segments,
    memory: RebootMemory,
    jump: Jump,
    digests: Digests,
    /// The finding about the kernel's signature.
    pub(crate) signature: SignatureState,
    /// When the kernel is decompressed.
    pub(crate) decompression: Decompression,
}

impl RebootImage {
    /// Verifies the files, takes memory, copies the image there and checks the copy.
    // Out of line for the stack: the plan and all parts of the image.
    #[inline(never)]
    pub(crate) fn load(files: &UnpackedFiles<'_>) -> Result<KBox<Self>, Refusal> {
        if memory::is_encrypted() {
            return Err(MachineError::MemoryEncrypted.into());
        }
        let sources = sources(files)?;
        let memory = RebootMemory::take(len_bound(files, &sources)?)?;
        let verified = verify(files, memory.range())?;
        let (image, decompression) = &*verified;
        let staged = Staged {
            files,
            sources: &sources,
            image,
            decompression: *decompression,
        };
        staged.place(memory)
    }

    /// Checks the image once more. May sleep.
    pub(crate) fn check(&mut self) -> Result<(), Damage> {
        self.segments.check(&mut self.digests)
    }

    /// The memory that it has.
    pub(crate) fn memory(&self) -> Range {
        self.memory.range()
    }

    /// The physical address at which the kernel is entered.
    pub(crate) fn entry(&self) -> u64 {
        self.segments.plan().entry()
    }

    /// Leaves this kernel.
    ///
    /// # Safety
    ///
    /// Interrupts must be off, all other CPUs stopped, and devices quiet.
    pub(crate) unsafe fn enter(&self) -> ! {
        // SAFETY: The segments are in their places; the rest by this function's contract.
        unsafe { self.jump.jump() }
    }
}

/// How much memory an image needs, wherever it goes.
///
/// It follows from the place only as far as page tables do, which are longest for the largest region, and the
/// kernel's alignment.
// Out of line for the stack: the image and its plan.
#[inline(never)]
fn len_bound(files: &UnpackedFiles<'_>, sources: &Sources) -> Result<u64, Refusal> {
    let (image, _) = &*verify(files, ANYWHERE)?;
    check_digestible("kernel", image.file_len())?;
    check_digestible("initrd", files.initrd.unwrap_or_default().len() as u64)?;
    let planned = needs(files, sources, image, ANYWHERE).plan()?;
    let unaligned = image.alignment().saturating_sub(ALIGNMENT);
    let len = placing::extent(&planned.plan).len();
    Ok(len.saturating_add(unaligned))
}

/// An image that was verified.
struct Staged<'a> {
    files: &'a UnpackedFiles<'a>,
    sources: &'a Sources,
    image: &'a image::Image<'a>,
    decompression: Decompression,
}

impl Staged<'_> {
    /// Copies the image to its memory, and checks the copy.
    // Out of line for the stack: what of the image is not there before.
    #[inline(never)]
    fn place(self, mut memory: RebootMemory) -> Result<KBox<RebootImage>, Refusal> {
        let Self {
            files,
            sources,
            image,
            decompression,
        } = self;
        let planned = needs(files, sources, image, memory.range()).plan()?;
        let initrd = files.initrd.unwrap_or_default();
        let (command_line, initrd_len) = (planned.command_line(), initrd.len() as u64);
        let plan = &planned.plan;
        let staging = Staging::build(sources, plan, image, None, command_line, initrd_len, None)?;
        let jump = Jump::new(plan)?;
        let mut digests = Digests::new(files.digest);
        let contents = |kind| match kind {
            SegmentKind::Kernel => Some(Contents::Kernel(image)),
            SegmentKind::Initrd => Some(Contents::Bytes(initrd)),
            other => staging.contents(other).map(Contents::Bytes),
        };
        let segments = Segments::write(
            memory.memory(),
            Unwritten::new(planned.plan)?,
            NO_REPORT,
            Slots::NONE,
            &staging,
            &mut digests,
            contents,
        );
        check(memory.memory(), segments.records(), &mut digests, contents)?;
        Ok(KBox::new(
            RebootImage {
                segments,
                memory,
                jump,
                digests,
                signature: files.kernel.finding().state(),
                decompression,
            },
            GFP_KERNEL,
        )?)
    }
}

/// The address that stands for no crash report.
const NO_REPORT: u64 = 0;

/// A region in which an image's page tables are as long as in any that it can get.
const ANYWHERE: Range = match Range::new(16 << 20, 4 << 30) {
    Some(anywhere) => anywhere,
    None => Range::ALL,
};

/// A kernel that was found fit to be entered, and when it is decompressed. In a box, as the stack is small.
type Verified<'a> = KBox<(image::Image<'a>, Decompression)>;

#[inline(never)]
fn verify<'a>(files: &'a UnpackedFiles<'a>, region: Range) -> Result<Verified<'a>, Refusal> {
    let (file, command_line) = (files.kernel.bytes(), files.command_line);
    let verified = image::verify_for_reboot(file, files.inner, command_line, region)?;
    Ok(KBox::new(verified, GFP_KERNEL)?)
}

#[inline(never)]
fn sources(files: &UnpackedFiles<'_>) -> Result<KBox<Sources>, Refusal> {
    let sources = Sources::read(files.device_tree)?;
    Ok(KBox::new(sources, GFP_KERNEL)?)
}

fn needs<'a>(
    files: &'a UnpackedFiles<'a>,
    sources: &'a Sources,
    image: &'a image::Image<'a>,
    region: Range,
) -> Needs<'a> {
    Needs {
        image,
        initrd: files.initrd,
        command_line: files.command_line,
        sources,
        region,
        capture: None,
    }
}
