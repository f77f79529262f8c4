// SPDX-License-Identifier: GPL-2.0

//! The formats that kernels come in, and other kinds of files that users mistake for kernels.

use core::fmt;

use crate::{
    image::{
        arm64::header::{
            HEADER_MAGIC as ARM64_MAGIC,
            MAGIC as ARM64_MAGIC_OFFSET, //
        },
        compressed::{
            GZIP_MAGIC,
            ZSTD_MAGIC, //
        },
        uki,
        x86_64::setup_header::{
            BOOT_FLAG,
            BOOT_FLAG_MAGIC,
            HEADER,
            HEADER_MAGIC, //
        },
        zboot, //
    },
    signature::pe::{
        PeImage,
        PeMachine,
        DOS_MAGIC, //
    },
    types::{
        bytes::{
            read_be_u32,
            read_u16,
            read_u32, //
        },
        elf,
        errno::Errno, //
    }, //
};

/// The formats that kernels come in.
///
/// ```
/// use kexec_core::image::format::Format;
///
/// let file = b"\x1f\x8b\x08\0";
/// assert_eq!(Format::of(file), Some(Format::Gzip));
/// assert!(Format::Gzip.is_compressed_file() && !Format::Gzip.is_kernel());
///
/// let error = Format::detect(b"070701").unwrap_err();
/// assert!(error.to_string().starts_with("the kernel is a cpio archive"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A bzImage (x86).
    BzImage,
    /// An Image (arm64).
    Arm64Image,
    /// An ELF file, as vmlinux is one.
    Elf,
    /// An EFI program that decompresses the kernel by itself (vmlinuz.efi).
    Zboot,
    /// A kernel compressed by gzip (Image.gz).
    Gzip,
    /// A kernel compressed by zstd (Image.zst).
    Zstd,
    /// A unified kernel image: an EFI program with kernel, initrd and command line in it.
    Uki,
}

impl Format {
    /// The format of a file, by its first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let has = |offset, magic: u32| read_u32(bytes, offset) == Some(magic);
        if zboot::is_zboot(bytes) {
            return Some(Self::Zboot);
        }
        if has(ARM64_MAGIC_OFFSET, ARM64_MAGIC) {
            return Some(Self::Arm64Image);
        }
        if read_u16(bytes, BOOT_FLAG) == Some(BOOT_FLAG_MAGIC) && has(HEADER, HEADER_MAGIC) {
            return Some(Self::BzImage);
        }
        if bytes.starts_with(elf::IDENT.get(..4)?) {
            return Some(Self::Elf);
        }
        if bytes.starts_with(GZIP_MAGIC) {
            return Some(Self::Gzip);
        }
        if bytes.starts_with(&ZSTD_MAGIC.to_le_bytes()) {
            return Some(Self::Zstd);
        }
        if uki::is_uki(bytes) {
            return Some(Self::Uki);
        }
        None
    }

    /// The format of a file, by its first bytes, or an error that names the kind of file.
    pub fn detect(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::of(bytes).ok_or_else(|| FormatError::of(bytes))
    }

    /// Whether a file of this format is loaded without being unpacked.
    pub const fn is_kernel(self) -> bool {
        matches!(self, Self::BzImage | Self::Arm64Image | Self::Elf)
    }

    /// Whether a file of this format is a compressed file.
    pub const fn is_compressed_file(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BzImage => "bzImage",
            Self::Arm64Image => "arm64 Image",
            Self::Elf => "ELF",
            Self::Zboot => "EFI zboot",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Uki => "unified kernel image",
        }
    }
}

/// Other compressed files, by their first bytes.
const COMPRESSED: [(&[u8], &str); 6] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "lzma"),
    (b"BZh", "bzip2"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x89LZO", "lzop"),
];
/// The first bytes of a cpio archive, as an initrd is one ("newc", "crc", and the old binary format
/// in both byte orders).
const CPIO: [&[u8]; 4] = [b"070701", b"070702", b"\xc7\x71", b"\x71\xc7"];
/// Kernels of other architectures, by the magic number at an offset.
const OTHER_KERNELS: [(usize, u32, &str); 4] = [
    (0x24, 0x016f_2818, "zImage for arm with 32 bits"),
    (0x38, u32::from_le_bytes(*b"RSC\x05"), "kernel for riscv64"),
    (0x38, 0x8182_23cd, "kernel for loongarch64"),
    (
        0x00,
        u32::from_le_bytes(*b"\x27\x05\x19\x56"),
        "U-Boot image",
    ),
];
/// The first four bytes of a flattened device tree.
const DEVICE_TREE_MAGIC: u32 = 0xd00d_feed;
/// The first bytes of a Debian package and of a static library.
const AR_MAGIC: &[u8] = b"!<arch>\n";
/// The number of bytes that are looked at to recognise text.
const TEXT_LEN: usize = 256;

/// The kind of a file that has none of the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// The file has no bytes.
    Empty,
    /// The file looks like an initrd.
    Cpio,
    /// The file has a compression that is not supported.
    Compressed {
        /// The name of the compression.
        by: &'static str,
    },
    /// The file is a kernel of another architecture.
    OtherKernel {
        /// The kind of kernel.
        what: &'static str,
    },
    /// The file is an EFI program without a kernel in it.
    EfiProgram {
        /// The number of the processor that it is for.
        machine: u16,
    },
    /// The file starts as an EFI program, or as one for MS-DOS, but is no whole one.
    Pe(crate::signature::pe::PeError),
    /// The file is a flattened device tree.
    DeviceTree,
    /// The file is a package or a library.
    Archive,
    /// The file is a disk image or a kernel from before setup headers.
    BootSector,
    /// The file is text.
    Text,
    /// The file starts with zeros.
    Zeros,
    /// The file is something else.
    Unknown {
        /// The first bytes of the file, padded with zeros.
        first: [u8; 8],
        /// Length of the file.
        len: usize,
    },
}

impl FormatError {
    /// The kind of a file that has none of the formats.
    fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        if CPIO.iter().any(|magic| bytes.starts_with(magic)) {
            return Self::Cpio;
        }
        if let Some((_, by)) = COMPRESSED.iter().find(|(m, _)| bytes.starts_with(m)) {
            return Self::Compressed { by };
        }
        let other = OTHER_KERNELS
            .iter()
            .find(|(offset, magic, _)| read_u32(bytes, *offset) == Some(*magic));
        if let Some((_, _, what)) = other {
            return Self::OtherKernel { what };
        }
        if read_be_u32(bytes, 0) == Some(DEVICE_TREE_MAGIC) {
            return Self::DeviceTree;
        }
        if bytes.starts_with(AR_MAGIC) {
            return Self::Archive;
        }
        if bytes.starts_with(&DOS_MAGIC) {
            return match PeImage::parse(bytes) {
                Ok(image) => Self::EfiProgram {
                    machine: image.machine_number(),
                },
                Err(error) => Self::Pe(error),
            };
        }
        if read_u16(bytes, BOOT_FLAG) == Some(BOOT_FLAG_MAGIC) {
            return Self::BootSector;
        }
        let start = bytes.get(..TEXT_LEN).unwrap_or(bytes);
        if start.iter().all(|byte| *byte == 0) {
            return Self::Zeros;
        }
        if start
            .iter()
            .all(|byte| matches!(byte, b'\t'..=b'\r' | b' '..=b'~'))
        {
            return Self::Text;
        }
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self::Unknown {
            first,
            len: bytes.len(),
        }
    }

    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoExec
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the kernel is an empty file: get it again"),
            Self::Cpio => f.write_str(
                "the kernel is a cpio archive, as an initrd is one: are kernel and initrd mixed up?",
            ),
            Self::Compressed { by } => write!(
                f,
                "the kernel is compressed by {by}: decompress it, or give one compressed by gzip \
                 or zstd"
            ),
            Self::OtherKernel { what } => write!(
                f,
                "the kernel is a {what}: give one for this machine, a bzImage on x86_64 or an \
                 Image on arm64"
            ),
            Self::EfiProgram { machine } => {
                f.write_str("the kernel is an EFI program for ")?;
                match PeMachine::from_number(machine) {
                    Some(machine) => f.write_str(machine.name())?,
                    None => write!(f, "processor {machine:#06x}")?,
                }
                f.write_str(
                    " that is neither a kernel nor has a .linux section: is it a boot loader? \
                     Give the kernel itself",
                )
            }
            Self::Pe(error) => error.fmt(f),
            Self::DeviceTree => f.write_str(
                "the kernel is a flattened device tree or a FIT image: give the kernel itself",
            ),
            Self::Archive => f.write_str(
                "the kernel is a Debian package or a library: give the kernel that it installs in \
                 /boot",
            ),
            Self::BootSector => f.write_str(
                "the kernel has a boot sector, but no setup header after it: it is a disk image, \
                 or older than any kernel that can be loaded",
            ),
            Self::Text => f.write_str(
                "the kernel is text: give the kernel, which is a binary file below /boot",
            ),
            Self::Zeros => f.write_str(
                "the kernel starts with zeros only: was it copied to the end? Get it again",
            ),
            Self::Unknown { first, len } => {
                f.write_str("the kernel has no format that is known here: it starts with")?;
                for byte in first.iter().take(len) {
                    write!(f, " {byte:02x}")?;
                }
                f.write_str(
                    ": give a bzImage, an arm64 Image, a vmlinux or a unified kernel image",
                )
            }
        }
    }
}
