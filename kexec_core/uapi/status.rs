// SPDX-License-Identifier: GPL-2.0

//! The module's status: the loaded image, and the memory for it.

use crate::crashkernel::CMA_RANGES_MAX;

use super::{
    segment::{
        SegmentRecord,
        SEGMENTS_MAX, //
    },
    structure::Structure, //
};
use core::mem::{
    offset_of,
    size_of, //
};

/// The state of the kernel's signature, as found at load. The number is the one in
/// [`Status::signature`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureState {
    /// The kernel has no signature.
    Unsigned = 1,
    /// A key that the running kernel trusts vouches for the file.
    Good = 2,
    /// The file is the one that was signed, but the running kernel does not know the signer.
    UnknownSigner = 3,
    /// The signature does not vouch for the file, and the module's parameters allow that.
    Bad = 4,
}

impl SignatureState {
    /// Every state, in the order of the numbers.
    pub const ALL: [Self; 4] = [Self::Unsigned, Self::Good, Self::UnknownSigner, Self::Bad];

    /// The state with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "none",
            Self::Good => "good",
            Self::UnknownSigner => "unknown signer",
            Self::Bad => "bad",
        }
    }
}

/// The elfcorehdr of the loaded image, which follows memory and CPUs that come and go.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ElfcorehdrRecord {
    /// The number of separate pieces of memory in it.
    pub pieces: u32,
    /// The number of pieces that have no room in it.
    pub without_room: u32,
    /// The number of times that it was replaced since the load.
    pub replacements: u32,
    /// 1 if the latest change of memory or CPUs is not in it.
    pub outdated: u32,
}

/// Where an image goes that replaces the armed one. The number is the one in [`Status::replacement`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// Beside it, so that one of the two is armed at every moment.
    Beside = 1,
    /// Where it is, so that none is armed while the image is copied.
    Instead = 2,
}

impl Replacement {
    /// The replacement with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [Self::Beside, Self::Instead];
        all.into_iter().find(|place| *place as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beside => "beside",
            Self::Instead => "instead",
        }
    }
}

/// A range of physical memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegionRecord {
    /// Physical address of the first byte.
    pub start: u64,
    /// Length in bytes; 0 where there is no such region.
    pub len: u64,
}

/// Who has set the region aside. The number is the one in [`Status::source`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionSource {
    /// The kernel at boot, because of crashkernel=.
    Crashkernel = 1,
    /// The module, from the memory of the running kernel.
    RunTime = 2,
    /// The command line or firmware, and region= has named it.
    Named = 3,
}

impl RegionSource {
    /// The source with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [Self::Crashkernel, Self::RunTime, Self::Named];
        all.into_iter().find(|source| *source as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crashkernel => "crashkernel=",
            Self::RunTime => "run time",
            Self::Named => "region=",
        }
    }
}

/// Who has an image in the region. The number is the one in [`Status::holder`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionHolder {
    /// Nobody.
    Nobody = 1,
    /// This module: an image is armed.
    Module = 2,
    /// The kernel's own kexec.
    Kernel = 3,
}

impl RegionHolder {
    /// The holder with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [Self::Nobody, Self::Module, Self::Kernel];
        all.into_iter().find(|holder| *holder as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Module => "rust_kexec",
            Self::Kernel => "the kernel's own kexec",
        }
    }
}

/// Whether the armed image can be written to. The number is the one in [`Status::protection`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The kernel's page tables forbid it.
    ReadOnly = 1,
    /// They could not be changed; the log says why.
    Writable = 2,
}

impl Protection {
    /// The protection with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [Self::ReadOnly, Self::Writable];
        all.into_iter().find(|found| *found as u32 == number)
    }
}

/// Whether the image that a reboot enters is where it will run. The number is the one in
/// [`Status::reboot_place`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebootPlace {
    /// It is there, in memory that the running kernel uses for nothing else.
    InPlace = 1,
    /// It is in pages from anywhere, and copied there when the machine reboots.
    Copied = 2,
}

impl RebootPlace {
    /// The place with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [Self::InPlace, Self::Copied];
        all.into_iter().find(|place| *place as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in its place",
            Self::Copied => "copied at the reboot",
        }
    }
}

/// The most regions besides the one that images are placed in.
pub const MORE_REGIONS_MAX: usize = 7;

/// [`Status::role`]: this kernel can load a capture kernel.
pub const ROLE_PRODUCTION: u32 = 1;
/// [`Status::role`]: this kernel was booted to save the memory of one that crashed.
pub const ROLE_CAPTURE: u32 = 2;

/// The state of the module, as the status request returns it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// In the request, `size_of::<Status>()` of the caller. In the answer, the number of bytes that
    /// the module has filled in.
    pub size: u32,
    /// [`ROLE_PRODUCTION`] or [`ROLE_CAPTURE`].
    pub role: u32,
    /// 1 when an image is loaded and armed.
    pub armed: u32,
    /// The number of valid entries of `segments`.
    pub segment_count: u32,
    /// The region that images are placed in.
    pub region: RegionRecord,
    /// A second, low region for the capture kernel's DMA (crashkernel=,low).
    pub low_region: RegionRecord,
    /// Physical address at which the capture kernel is entered.
    pub entry: u64,
    /// The segments of the loaded image. That of the elfcorehdr is the slot in force.
    pub segments: [SegmentRecord; SEGMENTS_MAX],
    /// A [`SignatureState`]'s number; 0 where nothing is loaded.
    pub signature: u32,
    /// A [`super::Decompression`]'s number; 0 where nothing is loaded, and from a module that does not say.
    pub decompression: u32,
    /// The state of the elfcorehdr.
    pub elfcorehdr: ElfcorehdrRecord,
    /// A [`Replacement`]'s number, of an image whose segments are as long as the armed one's; 0 where
    /// nothing is loaded, and from a module that does not say.
    pub replacement: u32,
    /// A [`super::HookedBy`]'s number; 0 where nothing is loaded, and from a module that does not say.
    pub hooks: u32,
    /// A [`RegionSource`]'s number; 0 where there is no region, and from a module that does not say.
    pub source: u32,
    /// The number of valid entries of `more_regions`.
    pub more_region_count: u32,
    /// More memory for the capture kernel, which no image is placed in.
    pub more_regions: [RegionRecord; MORE_REGIONS_MAX],
    /// A [`RegionHolder`]'s number; 0 where there is no region, and from a module that does not say.
    pub holder: u32,
    /// A [`Protection`]'s number; 0 where nothing is loaded, and from a module that does not say.
    pub protection: u32,
    /// The number of valid entries of `shared_regions`.
    pub shared_region_count: u32,
    /// How long a crash waits before the jump, in milliseconds: devices may still write to the shared
    /// regions.
    pub shared_wait: u32,
    /// Memory for the capture kernel that the running one uses as well (`crashkernel=SIZE,cma`). The dump
    /// does not have it.
    pub shared_regions: [RegionRecord; CMA_RANGES_MAX],
    /// The memory of the image that a reboot enters, when it is entered; its length is 0 where none is loaded.
    pub reboot_image: RegionRecord,
    /// Physical address at which its kernel is entered.
    pub reboot_entry: u64,
    /// A [`SignatureState`]'s number of that kernel; 0 where none is loaded.
    pub reboot_signature: u32,
    /// A [`super::Decompression`]'s number of that kernel; 0 where none is loaded.
    pub reboot_decompression: u32,
    /// A [`RebootPlace`]'s number; 0 where none is loaded, and from a module that does not say.
    pub reboot_place: u32,
    /// 0.
    pub reserved: u32,
}

impl Status {
    /// The memory for the capture kernel besides the region, in no order.
    pub fn others(&self) -> impl Iterator<Item = RegionRecord> + '_ {
        let count = usize::try_from(self.more_region_count).unwrap_or(usize::MAX);
        let more = self.more_regions.iter().take(count).copied();
        let low = core::iter::once(self.low_region);
        low.chain(more).filter(|region| region.len != 0)
    }

    /// The memory for the capture kernel that the running one uses as well.
    pub fn shared(&self) -> impl Iterator<Item = RegionRecord> + '_ {
        let count = usize::try_from(self.shared_region_count).unwrap_or(usize::MAX);
        self.shared_regions.iter().take(count).copied()
    }

    /// The length of what the armed image has of the region, from its first byte to its last; 0 where none
    /// is armed.
    pub fn used(&self) -> u64 {
        let count = usize::try_from(self.segment_count).unwrap_or(usize::MAX);
        let segments = || self.segments.iter().take(count);
        let start = segments().map(|segment| segment.start).min();
        let end = segments().map(|segment| segment.start.saturating_add(segment.memory_len));
        end.max().unwrap_or(0).saturating_sub(start.unwrap_or(0))
    }
}

impl Default for Status {
    fn default() -> Self {
        Self {
            size: size_of::<Self>() as u32,
            role: 0,
            armed: 0,
            segment_count: 0,
            region: RegionRecord::default(),
            low_region: RegionRecord::default(),
            entry: 0,
            segments: [SegmentRecord::default(); SEGMENTS_MAX],
            signature: 0,
            decompression: 0,
            elfcorehdr: ElfcorehdrRecord::default(),
            replacement: 0,
            hooks: 0,
            source: 0,
            more_region_count: 0,
            more_regions: [RegionRecord::default(); MORE_REGIONS_MAX],
            holder: 0,
            protection: 0,
            shared_region_count: 0,
            shared_wait: 0,
            shared_regions: [RegionRecord::default(); CMA_RANGES_MAX],
            reboot_image: RegionRecord::default(),
            reboot_entry: 0,
            reboot_signature: 0,
            reboot_decompression: 0,
            reboot_place: 0,
            reserved: 0,
        }
    }
}

impl Structure for Status {
    const FIRST_LEN: usize = 56 + SEGMENTS_MAX * 64;
}

const _: () = {
    assert!(size_of::<ElfcorehdrRecord>() == 16);
    assert!(
        size_of::<Status>()
            == Status::FIRST_LEN + 56 + (MORE_REGIONS_MAX + CMA_RANGES_MAX) * 16 + 40
    );
    assert!(offset_of!(Status, region) == 16);
    assert!(offset_of!(Status, segments) == 56);
    assert!(offset_of!(Status, signature) == Status::FIRST_LEN);
    assert!(offset_of!(Status, decompression) == Status::FIRST_LEN + 4);
    assert!(offset_of!(Status, elfcorehdr) == Status::FIRST_LEN + 8);
    assert!(offset_of!(Status, replacement) == Status::FIRST_LEN + 24);
    assert!(offset_of!(Status, hooks) == Status::FIRST_LEN + 28);
    assert!(offset_of!(Status, source) == Status::FIRST_LEN + 32);
    assert!(offset_of!(Status, more_regions) == Status::FIRST_LEN + 40);
    assert!(offset_of!(Status, holder) == Status::FIRST_LEN + 40 + MORE_REGIONS_MAX * 16);
    assert!(offset_of!(Status, shared_regions) == Status::FIRST_LEN + 56 + MORE_REGIONS_MAX * 16);
    assert!(offset_of!(Status, reboot_image) == size_of::<Status>() - 40);
    assert!(offset_of!(Status, reboot_entry) == size_of::<Status>() - 24);
    assert!(offset_of!(Status, reboot_place) == size_of::<Status>() - 8);
    assert!(MORE_REGIONS_MAX == crate::contiguous::PIECES_MAX - 1);
};
