// SPDX-License-Identifier: GPL-2.0

//! Loading an image that a reboot enters. It lies where it will run, in memory that the running kernel has
//! emptied for it, or in pages from which it is copied there. It is checked as one for a crash is.

use super::{
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
            publish_code,
            Jump,
            Sources, //
        },
        image,
        relocator, //
    },
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal, //
    },
    reserve::RebootMemory,
    sys::{
        memory,
        words, //
    }, //
};
use kexec_core::{
    contiguous::ALIGNMENT,
    dump::elfcorehdr::slots::Slots,
    handover::{
        check::BeforeAReboot,
        copy::Contents, //
    },
    image::KernelImage,
    plan::Plan,
    types::{
        digest::DIGEST_LEN,
        ranges::Range, //
    },
    uapi::{
        Decompression,
        RebootPlace,
        SegmentKind,
        SignatureState, //
    }, //
};

/// An image that a reboot enters, in its place or to be copied there.
pub(crate) struct RebootImage {
    // Its write protection is dropped before its memory is.
    segments: Segments,
    memory: RebootMemory,
    way: Way,
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

    /// Checks the image once more, and what copies it. May sleep.
    pub(crate) fn check(&mut self) -> Result<(), BeforeAReboot> {
        self.segments.check(&mut self.digests)?;
        if let Way::Copied { digest, .. } = &self.way {
            if self.memory.control_bytes().map(words::xxh64) != Some(*digest) {
                return Err(BeforeAReboot::RelocatorDamaged);
            }
            if !self.memory.has_place() {
                return Err(BeforeAReboot::PlaceGone(self.memory.range()));
            }
        }
        Ok(())
    }

    /// The memory that it has when it is entered.
    pub(crate) fn memory(&self) -> Range {
        self.memory.range()
    }

    /// Whether it is there already.
    pub(crate) fn place(&self) -> RebootPlace {
        match self.way {
            Way::InPlace(_) => RebootPlace::InPlace,
            Way::Copied { .. } => RebootPlace::Copied,
        }
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
        let (Way::InPlace(jump) | Way::Copied { jump, .. }) = &self.way;
        // SAFETY: The segments are in their places, or the relocator is in its own; the rest by this
        // function's contract.
        unsafe { jump.jump() }
    }
}

/// How the image is entered.
enum Way {
    /// By its purgatory.
    InPlace(Jump),
    /// By the relocator, of which, with its page tables, this is the digest.
    Copied {
        jump: Jump,
        digest: [u8; DIGEST_LEN],
    },
}

impl Way {
    /// The way into a plan's image in this memory.
    fn new(memory: &mut RebootMemory, plan: &Plan) -> Result<Self, Refusal> {
        let place = memory.range();
        let jump = match memory.control() {
            Some((control, image)) => relocator::build(control, image, place, plan)?,
            None => return Ok(Self::InPlace(Jump::new(plan)?)),
        };
        let digest = memory.control_bytes().map(words::xxh64).unwrap_or_default();
        Ok(Self::Copied { jump, digest })
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
        let enters = memory.enters();
        let staging = Staging::build(sources, plan, image, None, command_line, initrd_len, enters)?;
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
        )?;
        let way = Way::new(&mut memory, segments.plan())?;
        publish_code();
        Ok(KBox::new(
            RebootImage {
                segments,
                memory,
                way,
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
