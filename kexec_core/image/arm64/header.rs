// SPDX-License-Identifier: GPL-2.0

//! The header of the arm64 kernel's Image, as `Documentation/arch/arm64/booting.rst` in the
//! kernel's tree defines it. A vmlinux has it at the start of its first segment.

use core::{
    fmt,
    mem::{
        offset_of,
        size_of, //
    }, //
};

use crate::types::{
    bytes::{
        read_u32,
        read_u64,
        to_u64, //
    },
    errno::Errno,
    granule::Granule,
    ranges::PAGE_SIZE,
    size::Size, //
};

/// The header. All fields are little-endian.
#[repr(C)]
struct Header {
    code0: u32,
    code1: u32,
    text_offset: u64,
    image_size: u64,
    flags: u64,
    reserved: [u64; 3],
    magic: u32,
    pe_offset: u32,
}

/// Length of the header.
pub const HEADER_LEN: usize = size_of::<Header>();
/// Offset of `text_offset`: the distance from a multiple of [`BASE_ALIGNMENT`] to the load address.
pub const TEXT_OFFSET: usize = offset_of!(Header, text_offset);
/// Offset of `image_size`: the memory that the kernel needs from its load address on.
pub const IMAGE_SIZE: usize = offset_of!(Header, image_size);
/// Offset of the `FLAG_` bits.
pub const FLAGS: usize = offset_of!(Header, flags);
/// Offset of [`HEADER_MAGIC`].
pub const MAGIC: usize = offset_of!(Header, magic);
/// Offset of the field with the PE header's offset, for an image that is a PE/COFF file as well.
pub const PE_OFFSET: usize = offset_of!(Header, pe_offset);

const _: () = {
    assert!(HEADER_LEN == 64);
    assert!(TEXT_OFFSET == 8);
    assert!(IMAGE_SIZE == 16);
    assert!(FLAGS == 24);
    assert!(MAGIC == 56);
    assert!(PE_OFFSET == 60);
};

/// The value at [`MAGIC`].
pub const HEADER_MAGIC: u32 = u32::from_le_bytes(*b"ARM\x64");
/// [`FLAGS`]: the kernel is big-endian.
pub const FLAG_BIG_ENDIAN: u64 = 1 << 0;
/// [`FLAGS`]: shift of the two bits that tell the page size.
pub const FLAG_PAGE_SIZE_SHIFT: u32 = 1;
/// [`FLAGS`]: the image can lie anywhere in memory, and not only near its start.
pub const FLAG_ANYWHERE: u64 = 1 << 3;
/// The load address less `text_offset` is a multiple of this.
pub const BASE_ALIGNMENT: u64 = 2 << 20;

/// Why a file is not an Image that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// The file ends before the header does.
    TooShort {
        /// Length of the file.
        len: usize,
    },
    /// The file is compressed by gzip.
    Gzip,
    /// The file is an EFI program that decompresses the kernel by itself.
    Zboot,
    /// The header's magic number is missing.
    Magic {
        /// The value found.
        found: u32,
    },
    /// The kernel does not tell how much memory it needs.
    NoImageSize,
    /// The kernel is big-endian.
    BigEndian,
    /// The header asks for a load address that is not possible.
    TextOffset {
        /// The value found.
        found: u64,
    },
    /// The file is longer than the kernel is in memory.
    TooLong {
        /// Length of the file.
        len: usize,
        /// Memory that the kernel says it needs.
        image_size: u64,
    },
    /// The file ends before its last section does.
    Truncated {
        /// Length of the file.
        len: usize,
        /// The end of the last section.
        expected: u64,
    },
}

impl ImageError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::NoImageSize
            | Self::BigEndian
            | Self::TextOffset { .. }
            | Self::TooLong { .. } => Errno::Inval,
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(
                f,
                "the kernel is not an arm64 Image: the file has {len} bytes, but the header alone \
                 has {HEADER_LEN}: get it again"
            ),
            Self::Gzip => write!(
                f,
                "the kernel is compressed by gzip: decompress it with zcat and give the Image"
            ),
            Self::Zboot => write!(
                f,
                "the kernel is a compressed EFI program (vmlinuz.efi): give the Image that it was \
                 made from"
            ),
            Self::Magic { found } => write!(
                f,
                "the kernel is not an arm64 Image: the header has the magic number {found:#010x}, \
                 not {HEADER_MAGIC:#010x} (\"ARM\\x64\"): give the Image or the vmlinuz below \
                 /boot"
            ),
            Self::NoImageSize => write!(
                f,
                "the kernel does not tell how much memory it needs (image_size is 0): use one of \
                 Linux 3.17 or newer"
            ),
            Self::BigEndian => write!(
                f,
                "the kernel is big-endian: use one built without CONFIG_CPU_BIG_ENDIAN"
            ),
            Self::TextOffset { found } => write!(
                f,
                "the kernel asks to be loaded {found:#x} bytes above a multiple of \
                 {BASE_ALIGNMENT:#x}, but that has to be a multiple of {PAGE_SIZE:#x} less than \
                 {BASE_ALIGNMENT:#x}: use one of Linux 5.8 or newer, or one built without \
                 CONFIG_ARM64_RANDOMIZE_TEXT_OFFSET"
            ),
            Self::TooLong { len, image_size } => write!(
                f,
                "the file has {len} bytes, but the kernel in it says that it needs {} of memory: \
                 the image is damaged",
                Size(image_size)
            ),
            Self::Truncated { len, expected } => write!(
                f,
                "the kernel is truncated: the file has {len} bytes, but its PE header speaks of \
                 {expected}: get it again"
            ),
        }
    }
}

/// A header that was checked.
#[derive(Clone, Copy, Debug)]
pub struct ImageHeader {
    text_offset: u64,
    image_size: u64,
    flags: u64,
}

impl ImageHeader {
    /// Reads the header at the start of the kernel's memory.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let too_short = ImageError::TooShort { len: bytes.len() };

        // The magic number comes first, so that another file is not called a damaged Image.
        let found = read_u32(bytes, MAGIC).ok_or(too_short)?;
        if found != HEADER_MAGIC {
            return Err(ImageError::Magic { found });
        }
        let text_offset = read_u64(bytes, TEXT_OFFSET).ok_or(too_short)?;
        let image_size = read_u64(bytes, IMAGE_SIZE).ok_or(too_short)?;
        let flags = read_u64(bytes, FLAGS).ok_or(too_short)?;
        if bytes.len() < HEADER_LEN {
            return Err(too_short);
        }

        if image_size == 0 {
            return Err(ImageError::NoImageSize);
        }
        if flags & FLAG_BIG_ENDIAN != 0 {
            return Err(ImageError::BigEndian);
        }
        if text_offset >= BASE_ALIGNMENT || text_offset & (PAGE_SIZE - 1) != 0 {
            return Err(ImageError::TextOffset { found: text_offset });
        }
        Ok(Self {
            text_offset,
            image_size,
            flags,
        })
    }

    /// The distance from a multiple of [`BASE_ALIGNMENT`] to the load address.
    pub fn text_offset(&self) -> u64 {
        self.text_offset
    }

    /// Memory that the kernel needs from its load address on.
    pub fn image_size(&self) -> u64 {
        self.image_size
    }

    /// The page size that the kernel uses, if it tells.
    pub fn granule(&self) -> Option<Granule> {
        match (self.flags >> FLAG_PAGE_SIZE_SHIFT) & 3 {
            1 => Some(Granule::Kib4),
            2 => Some(Granule::Kib16),
            3 => Some(Granule::Kib64),
            _ => None,
        }
    }

    /// Whether memory that lies below the image is of use to the kernel.
    pub fn can_be_loaded_anywhere(&self) -> bool {
        self.flags & FLAG_ANYWHERE != 0
    }

    /// Refuses a kernel that has more contents than memory.
    pub(super) fn check_len(&self, len: usize) -> Result<(), ImageError> {
        let image_size = self.image_size;
        match to_u64(len) > image_size {
            true => Err(ImageError::TooLong { len, image_size }),
            false => Ok(()),
        }
    }
}
