// SPDX-License-Identifier: GPL-2.0

//! EFI zboot images (vmlinuz.efi): an EFI program with a compressed kernel in it. The header has
//! the place of the kernel, for loaders other than EFI. The header is that of the kernel's
//! `drivers/firmware/efi/libstub/zboot-header.S`.

use core::{
    fmt,
    mem::{
        offset_of,
        size_of, //
    }, //
};

use crate::{
    image::compressed::{
        Compressed,
        CompressedError,
        Compression, //
    },
    signature::pe::{
        PeError,
        PeImage,
        PeMachine,
        DOS_MAGIC,
        PE_OFFSET, //
    },
    types::{
        bytes::{
            read_u32,
            to_usize, //
        },
        errno::Errno, //
    }, //
};

/// The MS-DOS header with zboot's fields in it.
#[repr(C)]
struct Header {
    dos_magic: [u8; 4],
    image_type: [u8; 4],
    payload_offset: u32,
    payload_size: u32,
    reserved: [u32; 2],
    compression: [u8; COMPRESSION_LEN],
    linux_magic: u32,
    pe_offset: u32,
}

/// Room for the name of the compression, padded with zeros.
const COMPRESSION_LEN: usize = 32;

/// Offset of the image type.
pub const IMAGE_TYPE: usize = offset_of!(Header, image_type);
/// The image type of a zboot image.
pub const IMAGE_TYPE_ZBOOT: &[u8] = b"zimg";
/// Offset of the field with the compressed kernel's offset.
pub const PAYLOAD_OFFSET: usize = offset_of!(Header, payload_offset);
/// Offset of the field with the compressed kernel's length.
pub const PAYLOAD_SIZE: usize = offset_of!(Header, payload_size);
/// Offset of the name of the compression.
pub const COMPRESSION: usize = offset_of!(Header, compression);

const _: () = {
    assert!(IMAGE_TYPE == 4);
    assert!(PAYLOAD_OFFSET == 8);
    assert!(PAYLOAD_SIZE == 12);
    assert!(COMPRESSION == 24);
    assert!(offset_of!(Header, pe_offset) == PE_OFFSET);
    assert!(size_of::<Header>() == 64);
};

/// Whether a file starts as a zboot image.
pub fn is_zboot(bytes: &[u8]) -> bool {
    let image_type = bytes.get(IMAGE_TYPE..).unwrap_or_default();
    bytes.starts_with(&DOS_MAGIC) && image_type.starts_with(IMAGE_TYPE_ZBOOT)
}

/// Why a zboot image cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZbootError {
    /// The file is not a zboot image.
    ImageType,
    /// The file is not a whole EFI program.
    Pe(PeError),
    /// The kernel is for another processor.
    Architecture {
        /// The processor's number.
        found: u16,
    },
    /// The kernel is compressed in another way than those known.
    Compression {
        /// The start of the way's name, padded with zeros.
        found: [u8; 8],
    },
    /// The compressed kernel leaves the file.
    Payload {
        /// Offset of the compressed kernel.
        offset: u32,
        /// Length of the compressed kernel.
        size: u32,
        /// Length of the file.
        len: usize,
    },
    /// The compressed kernel's framing is wrong.
    Compressed(CompressedError),
}

impl From<PeError> for ZbootError {
    fn from(error: PeError) -> Self {
        Self::Pe(error)
    }
}

impl From<CompressedError> for ZbootError {
    fn from(error: CompressedError) -> Self {
        Self::Compressed(error)
    }
}

impl ZbootError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Pe(error) => error.errno(),
            Self::Compressed(error) => error.errno(),
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for ZbootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ImageType => f.write_str(
                "the kernel is not an EFI zboot image, which has \"zimg\" after its first 4 bytes",
            ),
            Self::Pe(error) => error.fmt(f),
            Self::Architecture { found } => {
                f.write_str("the kernel is an EFI zboot image for ")?;
                match PeMachine::from_number(*found) {
                    Some(machine) => f.write_str(machine.name())?,
                    None => write!(f, "processor {found:#06x}")?,
                }
                f.write_str(", but arm64 is needed: give one built for this machine")
            }
            Self::Compression { found } => write!(
                f,
                "the kernel is an EFI zboot image compressed by \"{}\", but gzip and zstd are \
                 known: use one built with CONFIG_KERNEL_GZIP or CONFIG_KERNEL_ZSTD",
                found.escape_ascii()
            ),
            Self::Payload { offset, size, len } => write!(
                f,
                "the kernel is truncated: the file has {len:#x} bytes, but its EFI zboot header \
                 speaks of {size:#x} bytes at {offset:#x}"
            ),
            Self::Compressed(error) => error.fmt(f),
        }
    }
}

/// A zboot image for arm64 with headers that were checked.
#[derive(Clone, Copy, Debug)]
pub struct Zboot<'a> {
    payload: Compressed<'a>,
}

impl<'a> Zboot<'a> {
    /// Reads the header of a file, and the framing of the compressed kernel in it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ZbootError> {
        if !is_zboot(bytes) {
            return Err(ZbootError::ImageType);
        }
        let image = PeImage::parse(bytes)?;
        if image.machine() != Some(PeMachine::Arm64) {
            return Err(ZbootError::Architecture {
                found: image.machine_number(),
            });
        }

        // The PE headers follow this header, so all of it is there.
        let offset = read_u32(bytes, PAYLOAD_OFFSET).unwrap_or_default();
        let size = read_u32(bytes, PAYLOAD_SIZE).unwrap_or_default();
        let end = u64::from(offset) + u64::from(size);
        let payload = bytes.get(to_usize(offset.into())..to_usize(end));
        let payload = payload.ok_or(ZbootError::Payload {
            offset,
            size,
            len: bytes.len(),
        })?;
        Ok(Self {
            payload: match compression(bytes)? {
                Compression::Gzip => Compressed::gzip(payload)?,
                // The kernel's build compresses a pipe, whose length zstd does not know, and
                // appends it.
                _ => {
                    let appended = read_u32(bytes, to_usize(end)).ok_or(ZbootError::Payload {
                        offset,
                        size: size.saturating_add(4),
                        len: bytes.len(),
                    })?;
                    Compressed::zstd(payload)?.with_appended_len(appended.into())?
                }
            },
        })
    }

    /// The compressed kernel, an arm64 Image.
    pub fn payload(&self) -> &Compressed<'a> {
        &self.payload
    }
}

/// The compression that the header names.
fn compression(bytes: &[u8]) -> Result<Compression, ZbootError> {
    let name = bytes.get(COMPRESSION..).unwrap_or_default();
    let name = name.get(..COMPRESSION_LEN).unwrap_or_default();
    let len = name.iter().position(|byte| *byte == 0);
    let name = name
        .get(..len.unwrap_or(COMPRESSION_LEN))
        .unwrap_or_default();
    for compression in [Compression::Gzip, Compression::Zstd] {
        if compression.name().as_bytes() == name {
            return Ok(compression);
        }
    }
    let mut found = [0; 8];
    for (to, from) in found.iter_mut().zip(name) {
        *to = *from;
    }
    Err(ZbootError::Compression { found })
}
