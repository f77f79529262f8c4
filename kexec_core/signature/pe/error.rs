// SPDX-License-Identifier: GPL-2.0

//! The errors of reading a PE file.

use core::fmt;

use super::{
    certificate::CertificateError,
    headers::{
        DOS_HEADER_LEN,
        PE_MAGIC, //
    },
    section::SectionName, //
};
use crate::types::errno::Errno;

/// Why a file is not a PE file whose signature could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeError {
    /// The file ends before its headers do.
    TooShort {
        /// Length of the file.
        len: usize,
    },
    /// The file does not start as an MS-DOS program.
    DosMagic,
    /// The MS-DOS header has an offset at which no PE header can be.
    PeOffset {
        /// The offset in the MS-DOS header.
        offset: u32,
    },
    /// The PE header's magic number is missing.
    PeMagic {
        /// The value found.
        found: u32,
    },
    /// The optional header ends too early.
    OptionalHeader {
        /// The optional header's length.
        len: u16,
    },
    /// The optional header has neither of the two forms.
    OptionalMagic {
        /// The magic number found.
        found: u16,
    },
    /// The optional header has no room for its data directories.
    DataDirectories {
        /// The number of data directories.
        count: u32,
        /// Length of the optional header.
        len: u16,
    },
    /// The headers are longer than their length field says, or leave the file.
    HeadersLen {
        /// The length.
        found: usize,
        /// The end of the section table.
        needed: usize,
        /// Length of the file.
        len: usize,
    },
    /// The file ends before a section does.
    SectionEnd {
        /// The section.
        name: SectionName,
        /// The end of the section.
        end: u64,
        /// Length of the file.
        len: usize,
    },
    /// A section starts within the headers.
    SectionInHeaders {
        /// The section.
        name: SectionName,
        /// The start of the section.
        start: u64,
        /// Length of the headers.
        headers_len: usize,
    },
    /// A section reaches into the certificate table.
    SectionInCertificates {
        /// The section.
        name: SectionName,
        /// The end of the section.
        end: u64,
        /// The start of the table.
        table: usize,
    },
    /// Two sections have bytes of the file in common.
    SectionsOverlap {
        /// One.
        name: SectionName,
        /// The other.
        other: SectionName,
    },
    /// Bytes before a section belong to none, so that no digest covers them.
    Gap {
        /// The section after them.
        name: SectionName,
        /// The start of the bytes.
        start: u64,
        /// The end of the bytes.
        end: u64,
    },
    /// The certificate table is wrong.
    Certificates(CertificateError),
}

impl From<CertificateError> for PeError {
    fn from(error: CertificateError) -> Self {
        Self::Certificates(error)
    }
}

impl PeError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Certificates(error) => error.errno(),
            _ => Errno::LibBad,
        }
    }
}

impl fmt::Display for PeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(
                f,
                "the kernel is not a whole EFI program: the file ends after {len} bytes, within \
                 its headers"
            ),
            Self::DosMagic => write!(
                f,
                "the kernel is not an EFI program, which starts with \"MZ\" and can carry a \
                 signature: use one built with CONFIG_EFI_STUB"
            ),
            Self::PeOffset { offset } => write!(
                f,
                "the PE header is said to be at {offset:#x}, but has to be after the first \
                 {DOS_HEADER_LEN:#x} bytes and in the file: the image is damaged"
            ),
            Self::PeMagic { found } => write!(
                f,
                "the kernel is not an EFI program: the PE header has the magic number \
                 {found:#010x}, not {PE_MAGIC:#010x} (\"PE\\0\\0\")"
            ),
            Self::OptionalHeader { len } => write!(
                f,
                "the PE optional header has {len} bytes, too few for its fields: the image is \
                 damaged"
            ),
            Self::OptionalMagic { found } => write!(
                f,
                "the PE optional header has the magic number {found:#06x}, but 0x010b (PE32) and \
                 0x020b (PE32+) are known: the image is damaged"
            ),
            Self::DataDirectories { count, len } => write!(
                f,
                "the PE optional header of {len} bytes has no room for its {count} data \
                 directories: the image is damaged"
            ),
            Self::HeadersLen { found, needed, len } => write!(
                f,
                "the PE headers are said to have {found:#x} bytes, but end at {needed:#x} in a \
                 file of {len:#x}: the image is damaged"
            ),
            Self::SectionEnd { name, end, len } => write!(
                f,
                "the kernel is truncated: the file has {len} bytes, but its PE section {name} \
                 ends at {end}: get it again"
            ),
            Self::SectionInHeaders {
                name,
                start,
                headers_len,
            } => write!(
                f,
                "the PE section {name} at {start:#x} overlaps the headers, which end at \
                 {headers_len:#x}: the image is damaged"
            ),
            Self::SectionInCertificates { name, end, table } => write!(
                f,
                "the PE section {name} ends at {end:#x} and overlaps the certificate table, \
                 which starts at {table:#x}: sign the kernel again"
            ),
            Self::SectionsOverlap { name, other } => write!(
                f,
                "the PE sections {other} and {name} overlap in the file: the image is damaged"
            ),
            Self::Gap { name, start, end } => write!(
                f,
                "the bytes from {start:#x} to {end:#x} before the PE section {name} belong to no \
                 section, and no signature covers them: build the image without gaps between \
                 its sections and sign it again"
            ),
            Self::Certificates(error) => error.fmt(f),
        }
    }
}
