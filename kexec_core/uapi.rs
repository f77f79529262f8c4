// SPDX-License-Identifier: GPL-2.0

//! The structures and ioctl numbers of `/dev/rust_kexec`, shared by the module and `rkexec`.
//!
//! `rkexec` and a module of different versions understand each other by the kernel's rule for
//! structures that grow (`copy_struct_from_user()`). Each structure starts with its length in the
//! caller's version, and a later version only adds fields at its end. Fields that the caller's
//! structure lacks count as zero, so zero has to stand for the behaviour without the field. Bytes
//! that the callee does not know have to be zero; otherwise the callee refuses the request. An
//! answer is cut, or filled up with zeros, to the caller's length.

use crate::types::digest::{Checked, DIGEST_LEN};
use crate::types::errno::Errno;
use core::fmt;
use core::mem::{offset_of, size_of};

/// Name of the misc device, below `/dev`.
pub const DEVICE_NAME: &str = "rust_kexec";

/// The ioctl type letter of all our requests (`include/uapi/asm-generic/ioctl.h`).
pub const IOCTL_TYPE: u8 = b'k';
/// The load request, on a [`LoadRequest`]: `_IO(IOCTL_TYPE, 1)`. The number of a request does not
/// contain the structure's length, because the length changes.
pub const IOCTL_LOAD: u8 = 1;
/// The unload request, on an [`UnloadRequest`]: `_IO(IOCTL_TYPE, 2)`.
pub const IOCTL_UNLOAD: u8 = 2;
/// The status request, on a [`Status`]: `_IO(IOCTL_TYPE, 3)`.
pub const IOCTL_STATUS: u8 = 3;

/// Longest structure of any version, in bytes, as for the kernel's system calls.
pub const STRUCTURE_LEN_MAX: usize = 4096;

/// A structure of the interface, which later versions may make longer.
pub trait Structure {
    /// The structure's length in its first version. No caller's structure is shorter.
    const FIRST_LEN: usize;

    /// Checks the length of a caller's structure, which is its first field.
    fn check_len(found: u32) -> Result<(), StructureError> {
        match found as usize {
            len if len < Self::FIRST_LEN => Err(StructureError::TooShort {
                found,
                first: Self::FIRST_LEN,
            }),
            ..=STRUCTURE_LEN_MAX => Ok(()),
            _ => Err(StructureError::TooLong { found }),
        }
    }
}

/// Why a caller's structure is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructureError {
    /// The structure is shorter than in any version.
    TooShort {
        /// The structure's length.
        found: u32,
        /// The first version's length.
        first: usize,
    },
    /// The structure is longer than any version can be.
    TooLong {
        /// The structure's length.
        found: u32,
    },
    /// A field is set that this version does not know.
    Unknown {
        /// The structure's length.
        found: u32,
        /// The length in this version.
        known: usize,
    },
}

impl StructureError {
    /// The errno that this is reported as, as the kernel's system calls do.
    pub fn errno(&self) -> Errno {
        match self {
            Self::TooShort { .. } => Errno::Inval,
            Self::TooLong { .. } | Self::Unknown { .. } => Errno::TooBig,
        }
    }
}

impl fmt::Display for StructureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { found, first } => write!(
                f,
                "the request is {found} bytes long, but no version's is shorter than {first}: use \
                 rkexec to ask for it"
            ),
            Self::TooLong { found } => write!(
                f,
                "the request is {found} bytes long, but no version's is longer than \
                 {STRUCTURE_LEN_MAX}: use rkexec to ask for it"
            ),
            Self::Unknown { found, known } => write!(
                f,
                "the request asks for something that this module is too old to know: it is \
                 {found} bytes long, and what follows the first {known} is not zero: use \
                 rust_kexec.ko of rkexec's version, or leave out the newest option"
            ),
        }
    }
}

/// The value of a descriptor in [`LoadRequest`] for no file.
pub const NO_FD: i32 = -1;

/// The value of [`LoadRequest::digest`] for [`crate::types::digest::Algorithm::DEFAULT`].
pub const ANY_DIGEST: u32 = 0;

/// Longest sentence that the module writes into [`Message`], in bytes.
pub const MESSAGE_MAX: usize = 512;

/// Most segments that a loaded image has.
pub const SEGMENTS_MAX: usize = 16;

/// A buffer of the caller's into which the module writes the sentence of a refusal (UTF-8, no
/// terminating NUL, cut at the buffer's end). The module writes the sentence's length to `used`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// User-space address of the buffer.
    pub address: u64,
    /// The buffer's size in bytes.
    pub capacity: u64,
    /// User-space address of a `u64` that receives the number of bytes written.
    pub used: u64,
}

/// Asks for a capture kernel to be loaded and armed.
///
/// A refused request leaves an image that was loaded before armed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadRequest {
    /// `size_of::<LoadRequest>()` of the caller.
    pub size: u32,
    /// Must be 0.
    pub flags: u32,
    /// Descriptor of the kernel image, open for reading.
    pub kernel_fd: i32,
    /// Descriptor of the initrd, open for reading, or [`NO_FD`].
    pub initrd_fd: i32,
    /// Descriptor of a detached signature of the kernel (PKCS#7, DER), or [`NO_FD`].
    pub kernel_signature_fd: i32,
    /// Descriptor of a detached signature of the initrd (PKCS#7, DER), or [`NO_FD`].
    pub initrd_signature_fd: i32,
    /// User-space address of the capture kernel's command line.
    pub command_line: u64,
    /// Length of the command line in bytes, without a NUL.
    pub command_line_len: u64,
    /// A [`crate::types::digest::Algorithm`]'s number, or [`ANY_DIGEST`].
    pub digest: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The buffer for the sentence of a refusal.
    pub message: Message,
}

/// Asks for the loaded image to be disarmed and dropped.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnloadRequest {
    /// `size_of::<UnloadRequest>()` of the caller.
    pub size: u32,
    /// Must be 0.
    pub flags: u32,
    /// The buffer for the sentence of a refusal.
    pub message: Message,
}

/// The kind of a segment of the loaded image. The number is the one in [`SegmentRecord::kind`] and
/// in the purgatory's table.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// The capture kernel.
    Kernel = 1,
    /// The initial RAM disk.
    Initrd = 2,
    /// The x86 zero page with the command line after it.
    BootParams = 3,
    /// The ELF core header that `elfcorehdr=` names.
    Elfcorehdr = 4,
    /// The purgatory's code, stack and page tables.
    Purgatory = 5,
    /// The table of digests that the purgatory compares.
    PurgatoryTable = 6,
    /// The flattened device tree.
    DeviceTree = 7,
}

impl SegmentKind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 7] = [
        Self::Kernel,
        Self::Initrd,
        Self::BootParams,
        Self::Elfcorehdr,
        Self::Purgatory,
        Self::PurgatoryTable,
        Self::DeviceTree,
    ];

    /// The kind with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Whether the purgatory checks such a segment. The module checks the others before it jumps: the
    /// purgatory, which writes to its own memory, and the purgatory's table. Every image has both.
    pub const fn is_checked_by_purgatory(self) -> bool {
        !matches!(self, Self::Purgatory | Self::PurgatoryTable)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Initrd => "initrd",
            Self::BootParams => "boot_params",
            Self::Elfcorehdr => "elfcorehdr",
            Self::Purgatory => "purgatory",
            Self::PurgatoryTable => "purgatory table",
            Self::DeviceTree => "device tree",
        }
    }
}

/// One segment of the loaded image.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentRecord {
    /// A [`SegmentKind`]'s number.
    pub kind: u32,
    /// [`crate::types::digest::Algorithm`] of the digest, as a number; 0 where none is checked.
    pub algorithm: u32,
    /// Physical address.
    pub start: u64,
    /// Bytes that were copied there; the digest covers these.
    pub file_len: u64,
    /// Bytes that the segment owns, `file_len` or more; the rest is zeroed.
    pub memory_len: u64,
    /// The digest of the first `file_len` bytes; zeros where none is checked.
    pub digest: [u8; DIGEST_LEN],
}

impl SegmentRecord {
    /// The range that the digest covers, with the digest.
    pub fn checked(&self) -> Checked {
        Checked {
            start: self.start,
            len: self.file_len,
            kind: self.kind,
            algorithm: self.algorithm,
            digest: self.digest,
        }
    }
}

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

/// When the loaded kernel is decompressed, and why not at load. The number is the one in
/// [`Status::decompression`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decompression {
    /// The kernel has no compressed one in it: a vmlinux, or an arm64 Image.
    None = 1,
    /// The kernel in a bzImage was decompressed at load, and is what is entered.
    AtLoad = 2,
    /// The bzImage does not say where its kernel is.
    NoPayload = 3,
    /// The kernel in the bzImage is compressed in a way that is not known.
    Unknown = 4,
    /// The kernel in the bzImage is compressed by bzip2 or LZMA.
    NotExported = 5,
    /// The running kernel was built without the decompressor.
    NoDecompressor = 6,
    /// The running kernel had no memory for the decompressed kernel.
    OutOfMemory = 7,
    /// The decompressed kernel is no ELF file that can be entered.
    NotElf = 8,
    /// The decompressed kernel has no place in the crash region.
    NoRoom = 9,
    /// The levels of page tables have to change, and the crash region is not where they can.
    Paging = 10,
    /// The command line switches memory encryption on, which the bzImage's own code prepares.
    MemoryEncryption = 11,
}

impl Decompression {
    /// Every value, in the order of the numbers.
    pub const ALL: [Self; 11] = [
        Self::None,
        Self::AtLoad,
        Self::NoPayload,
        Self::Unknown,
        Self::NotExported,
        Self::NoDecompressor,
        Self::OutOfMemory,
        Self::NotElf,
        Self::NoRoom,
        Self::Paging,
        Self::MemoryEncryption,
    ];

    /// The value with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|value| *value as u32 == number)
    }

    /// The name of the time, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AtLoad => "at load",
            _ => "at the crash",
        }
    }

    /// The reason for which the bzImage decompresses itself at the crash, if it does.
    pub const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::None | Self::AtLoad => return None,
            Self::NoPayload => "the bzImage does not say where its kernel is",
            Self::Unknown => "the bzImage's kernel is compressed in a way that is not known here",
            Self::NotExported => {
                "the bzImage's kernel is compressed by bzip2 or LZMA, for which modules have no \
                 decompressor"
            }
            Self::NoDecompressor => "the running kernel was built without the decompressor",
            Self::OutOfMemory => "there was no memory to decompress it to",
            Self::NotElf => "what is in the bzImage is no ELF kernel that can be entered",
            Self::NoRoom => "the decompressed kernel has no place in the crash region",
            Self::Paging => {
                "the number of page table levels has to change, and the crash region ends above \
                 4 GiB"
            }
            Self::MemoryEncryption => "the command line has mem_encrypt=on",
        })
    }
}

/// The ELF core header of the loaded image, which follows memory and CPUs that come and go.
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
    /// The region that crashkernel= reserved and images are placed in.
    pub region: RegionRecord,
    /// A second, low region for the capture kernel's DMA (crashkernel=,low).
    pub low_region: RegionRecord,
    /// Physical address at which the capture kernel is entered.
    pub entry: u64,
    /// The segments of the loaded image. That of the elfcorehdr is the slot in force.
    pub segments: [SegmentRecord; SEGMENTS_MAX],
    /// A [`SignatureState`]'s number; 0 where nothing is loaded.
    pub signature: u32,
    /// A [`Decompression`]'s number; 0 where nothing is loaded, and from a module that does not say.
    pub decompression: u32,
    /// The state of the elfcorehdr.
    pub elfcorehdr: ElfcorehdrRecord,
    /// A [`Replacement`]'s number, of an image whose segments are as long as the armed one's; 0 where
    /// nothing is loaded, and from a module that does not say.
    pub replacement: u32,
    /// 0.
    pub reserved: u32,
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
            reserved: 0,
        }
    }
}

impl Structure for LoadRequest {
    const FIRST_LEN: usize = 72;
}

impl Structure for UnloadRequest {
    const FIRST_LEN: usize = 32;
}

impl Structure for Status {
    const FIRST_LEN: usize = 56 + SEGMENTS_MAX * 64;
}

const _: () = {
    assert!(size_of::<Message>() == 24);
    assert!(size_of::<LoadRequest>() == LoadRequest::FIRST_LEN);
    assert!(offset_of!(LoadRequest, command_line) == 24);
    assert!(offset_of!(LoadRequest, message) == 48);
    assert!(size_of::<UnloadRequest>() == UnloadRequest::FIRST_LEN);
    assert!(offset_of!(UnloadRequest, message) == 8);
    assert!(size_of::<SegmentRecord>() == 64);
    assert!(offset_of!(SegmentRecord, digest) == 32);
    assert!(size_of::<ElfcorehdrRecord>() == 16);
    assert!(size_of::<Status>() == Status::FIRST_LEN + 32);
    assert!(offset_of!(Status, region) == 16);
    assert!(offset_of!(Status, segments) == 56);
    assert!(offset_of!(Status, signature) == Status::FIRST_LEN);
    assert!(offset_of!(Status, decompression) == Status::FIRST_LEN + 4);
    assert!(offset_of!(Status, elfcorehdr) == Status::FIRST_LEN + 8);
    assert!(offset_of!(Status, replacement) == Status::FIRST_LEN + 24);
};
