// SPDX-License-Identifier: GPL-2.0

//! Second stage: an image is read, verified, planned, built aside, and copied into the region.
//!
//! Everything that can fail happens in [`prepare`], while an earlier image is still armed.
//! [`Prepared::commit`] cannot fail; what it returns is ready to be armed.

mod digests;
pub(crate) mod elfcorehdr;
mod handover;
pub(crate) mod policy;
mod segments;
pub(crate) mod signature;
mod unpack;
mod write_protection;

use crate::arch::handover::{Jump, Sources};
use crate::arch::{hypervisor, image, quiesce::Interrupts};
use crate::compat::prelude::*;
use crate::record::CrashRecord;
use crate::refusal::Refusal;
use crate::reserve::Reservation;
use crate::sys::file::{FileContents, Purpose};
use crate::sys::physical::ReservedMemory;
use crate::sys::{acpi, ima, memory};
pub(crate) use digests::requested as requested_digest;
use digests::Digests;
use elfcorehdr::contents;
use elfcorehdr::hotplug::{self, Following};
use kernel::sync::Arc;
use kexec_core::dump::header_slots::Slots;
use kexec_core::handover::command_line::capture_command_line;
use kexec_core::image::KernelImage;
use kexec_core::plan::{Placement, Placer, Plan};
use kexec_core::types::digest::Algorithm;
use kexec_core::types::ranges::{Range, PAGE_SIZE};
use kexec_core::uapi::{SegmentKind, SignatureState};
pub(crate) use segments::Segments;
use signature::Trusted;
use unpack::{Buffers, Unpacked};

/// What user space asks to be loaded: files that were read once, a command line, and what the
/// digests are to be computed with.
pub(crate) struct Files {
    kernel: FileContents,
    kernel_signature: Option<FileContents>,
    initrd: Option<FileContents>,
    initrd_signature: Option<FileContents>,
    command_line: KVec<u8>,
    digest: Option<Algorithm>,
    buffers: Buffers,
}

/// Descriptors of the current process's files, by what they are for.
pub(crate) struct Descriptors {
    pub(crate) kernel: i32,
    pub(crate) kernel_signature: Option<i32>,
    pub(crate) initrd: Option<i32>,
    pub(crate) initrd_signature: Option<i32>,
}

impl Files {
    /// Reads the files that the current process has open.
    #[inline(never)]
    pub(crate) fn read(
        files: &Descriptors,
        command_line: KVec<u8>,
        digest: Option<Algorithm>,
    ) -> Result<Self, Refusal> {
        let read = |fd, purpose, what| {
            FileContents::read(fd, purpose).map_err(|error| Refusal::Unreadable { what, error })
        };
        let read_any =
            |fd: Option<i32>, purpose, what| fd.map(|fd| read(fd, purpose, what)).transpose();
        Ok(Self {
            kernel: read(files.kernel, Purpose::Kernel, "kernel image")?,
            kernel_signature: read_any(
                files.kernel_signature,
                Purpose::Signature,
                "kernel's signature",
            )?,
            initrd: read_any(files.initrd, Purpose::Initrd, "initrd")?,
            initrd_signature: read_any(
                files.initrd_signature,
                Purpose::Signature,
                "initrd's signature",
            )?,
            command_line,
            digest,
            buffers: Buffers::default(),
        })
    }

    /// Lets the policy for signatures judge the kernel, checks the initrd's signature if there is
    /// one, and unpacks what the policy let through, to `limit` bytes at most.
    #[inline(never)]
    pub(crate) fn unpack(&self, limit: u64) -> Result<Contents<'_>, Refusal> {
        fn bytes(file: &Option<FileContents>) -> Option<&[u8]> {
            file.as_ref().map(FileContents::bytes)
        }
        if let (Some(initrd), Some(message)) = (bytes(&self.initrd), bytes(&self.initrd_signature))
        {
            signature::verify_detached("initrd", initrd, message)?;
        }
        let unpacked = Unpacked::new(
            self.kernel.bytes(),
            bytes(&self.kernel_signature),
            &self.buffers,
            limit,
        )?;
        // What is given beside a unified kernel image comes before what is in it.
        let command_line = Some(&self.command_line[..]).filter(|given| !given.is_empty());
        policy::judge_replacement("command line", command_line, unpacked.command_line)?;
        let command_line_in_force = command_line.or(unpacked.command_line).unwrap_or_default();
        // As ima_kexec_cmdline() does, which a module cannot call. The files were measured when they
        // were read.
        ima::measure_critical_data(c"rust_kexec", c"kexec-cmdline", command_line_in_force);
        let initrd = bytes(&self.initrd);
        if self.initrd_signature.is_none() {
            policy::judge_replacement("initrd", initrd, unpacked.initrd)?;
        }
        Ok(Contents {
            kernel: unpacked.kernel,
            initrd: initrd.or(unpacked.initrd),
            command_line: command_line_in_force,
            digest: self.digest,
        })
    }
}

/// What is loaded: a kernel that the policy lets through, ready to be parsed.
pub(crate) struct Contents<'a> {
    kernel: Trusted<'a>,
    initrd: Option<&'a [u8]>,
    command_line: &'a [u8],
    digest: Option<Algorithm>,
}

/// An image in its place, with all that the crash path needs. What changes of it is the ELF core
/// header.
pub(crate) struct LoadedImage {
    // Dropped first.
    _following: Following,
    pub(crate) segments: Segments,
    /// What was found about the kernel's signature.
    pub(crate) signature: SignatureState,
    pub(crate) jump: Jump,
    pub(crate) interrupts: Interrupts,
    pub(crate) record: Arc<CrashRecord>,
}

/// An image that was verified, planned and built, but is not in its place yet.
pub(crate) struct Prepared<'a> {
    image: image::Image<'a>,
    signature: SignatureState,
    initrd: &'a [u8],
    core_header: hotplug::Prepared,
    slots: Slots,
    staging: handover::Staging,
    digests: Digests,
    plan: Plan,
    place: KBox<core::mem::MaybeUninit<LoadedImage>>,
    jump: Jump,
    interrupts: Interrupts,
    record: Arc<CrashRecord>,
}

/// Verifies the files, plans the segments and builds their contents.
#[inline(never)]
pub(crate) fn prepare<'a>(
    files: &'a Contents<'a>,
    reservation: &Reservation,
) -> Result<Prepared<'a>, Refusal> {
    if memory::is_encrypted() {
        return Err(Refusal::MemoryEncrypted);
    }
    hypervisor::check()?;
    let region = reservation.region();
    let image = image::verify(files.kernel.bytes(), region)?;
    let initrd = files.initrd.unwrap_or_default();
    digests::check_digestible("kernel", image.file_len())?;
    digests::check_digestible("initrd", initrd.len() as u64)?;

    let sources = Sources::read()?;
    let record = Arc::new(CrashRecord::new()?, GFP_KERNEL)?;
    let core_header = contents::Sources::new(record.clone(), reservation)?;
    let core_header = hotplug::Prepared::new(core_header)?;

    let mut placer = Placer::new(region)?;
    let kernel = placer.place_kernel(&image, Placement::Lowest)?;
    // The slots are write-protected apart from the rest, so they have pages of their own.
    let page_len = kernel::page::PAGE_SIZE as u64;
    let (slot_len, slots_len) =
        Slots::lens(core_header.len_max(), page_len).ok_or(Refusal::OutOfMemory)?;
    let elfcorehdr = placer.place(
        SegmentKind::ElfCoreHeader,
        core_header.len(),
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
        let len = initrd.len() as u64;
        placer.place(
            SegmentKind::Initrd,
            len,
            len,
            PAGE_SIZE,
            Placement::Highest,
            image::initrd_limit(&image, kernel.memory),
        )?;
    }
    let entry = kernel.memory.start().wrapping_add(image.entry_offset());
    let plan = placer.finish(entry, memory::total())?;

    let staging = handover::Staging::build(
        &sources,
        &plan,
        &image,
        reservation,
        command_line,
        initrd.len() as u64,
        record.report.memory(),
    )?;
    Ok(Prepared {
        signature: files.kernel.finding().state(),
        initrd,
        core_header,
        slots,
        staging,
        digests: Digests::new(files.digest, &plan),
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
    #[inline(never)]
    pub(crate) unsafe fn commit(mut self) -> KBox<LoadedImage> {
        let contents = |kind| match kind {
            SegmentKind::Kernel => Some(segments::Contents::Kernel(&self.image)),
            SegmentKind::Initrd => Some(segments::Contents::Bytes(self.initrd)),
            other => self.staging.contents(other).map(segments::Contents::Bytes),
        };
        let (report, staging) = (self.record.report.contents(), &self.staging);
        let (slots, digests) = (self.slots, &mut self.digests);
        // SAFETY: The caller vouches for the region.
        let segments =
            unsafe { Segments::write(self.plan, report, slots, staging, digests, contents) };
        let core_header = segments.plan().segment(SegmentKind::ElfCoreHeader);
        let core_header = core_header
            .map(|segment| segment.memory)
            .unwrap_or_default();
        // SAFETY: As above. Nothing else of the image is in this segment.
        let core_header = unsafe { ReservedMemory::new(core_header) };
        KBox::write(
            self.place,
            LoadedImage {
                _following: self
                    .core_header
                    .follow(core_header, self.slots, self.digests),
                segments,
                signature: self.signature,
                jump: self.jump,
                interrupts: self.interrupts,
                record: self.record,
            },
        )
    }
}
