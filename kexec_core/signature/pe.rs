// SPDX-License-Identifier: GPL-2.0

//! PE/COFF, the format of EFI programs (Microsoft, "PE Format").
//!
//! A kernel with an EFI stub is a bzImage or an Image, and an EFI program as well. It is signed as
//! an EFI program: the signature is in the certificate table of the PE file.

mod certificate;
mod error;
mod headers;
mod section;

use core::ops::Range;

use crate::types::bytes::{
    read_u16,
    read_u32,
    to_u64,
    to_usize, //
};

pub use certificate::{
    check_pkcs7_len,
    CertificateError,
    CERTIFICATE_ALIGNMENT,
    CERTIFICATE_HEADER_LEN,
    PKCS7_LEN_MAX,
    PKCS_SIGNED_DATA,
    REVISION_2, //
};
pub use error::PeError;
pub use headers::{
    Addresses,
    PeMachine,
    CERTIFICATE_DIRECTORY,
    CHECK_SUM,
    CHECK_SUM_LEN,
    COFF_HEADER_LEN,
    DATA_DIRECTORY_LEN,
    DOS_HEADER_LEN,
    DOS_MAGIC,
    MACHINE,
    NUMBER_OF_SECTIONS,
    PE_MAGIC,
    PE_OFFSET,
    SIZE_OF_HEADERS,
    SIZE_OF_OPTIONAL_HEADER, //
};
pub use section::{
    Section,
    SectionName,
    SECTION_HEADER_LEN, //
};

/// A PE file with headers, sections and a certificate table that were checked.
///
/// # Invariants
///
/// All headers lie in the first `headers_len` bytes, which the file has. Every section with
/// contents lies after them, in the file, and overlaps neither another one nor `certificates`.
#[derive(Clone, Copy, Debug)]
pub struct PeImage<'a> {
    bytes: &'a [u8],
    machine: u16,
    headers_len: usize,
    check_sum: usize,
    certificate_directory: Option<usize>,
    section_table: &'a [u8],
    certificates: Option<CertificateTable<'a>>,
}

/// The certificate table: its place, and the first signature in it.
#[derive(Clone, Copy, Debug)]
struct CertificateTable<'a> {
    start: usize,
    signature: &'a [u8],
}

impl<'a> PeImage<'a> {
    /// Reads the headers of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PeError> {
        let len = bytes.len();
        let too_short = PeError::TooShort { len };

        if !bytes.starts_with(&DOS_MAGIC) {
            return Err(PeError::DosMagic);
        }
        let offset = read_u32(bytes, PE_OFFSET).ok_or(too_short)?;
        let pe = to_usize(offset.into());
        if pe < DOS_HEADER_LEN {
            return Err(PeError::PeOffset { offset });
        }
        let found = read_u32(bytes, pe).ok_or(PeError::PeOffset { offset })?;
        if found != PE_MAGIC {
            return Err(PeError::PeMagic { found });
        }
        let coff = bytes.get(pe..).ok_or(too_short)?;
        let machine = read_u16(coff, MACHINE).ok_or(too_short)?;
        let sections = read_u16(coff, NUMBER_OF_SECTIONS).ok_or(too_short)?;
        let optional_len = read_u16(coff, SIZE_OF_OPTIONAL_HEADER).ok_or(too_short)?;

        // Offsets of 32 bits each: no sum of a few of them overflows.
        let optional = pe + COFF_HEADER_LEN;
        let section_table = optional + usize::from(optional_len);
        let header = bytes.get(optional..section_table).ok_or(too_short)?;
        let magic = read_u16(header, 0).ok_or(PeError::OptionalHeader { len: optional_len })?;
        let form = Addresses::from_magic(magic).ok_or(PeError::OptionalMagic { found: magic })?;
        let short = PeError::OptionalHeader { len: optional_len };
        let headers_len = to_usize(read_u32(header, SIZE_OF_HEADERS).ok_or(short)?.into());
        let directories = read_u32(header, form.number_of_rva_and_sizes()).ok_or(short)?;
        let table = header.get(form.header_len()..).ok_or(short)?;
        if to_usize(directories.into()) > table.len() / DATA_DIRECTORY_LEN {
            return Err(PeError::DataDirectories {
                count: directories,
                len: optional_len,
            });
        }

        let table_len = usize::from(sections) * SECTION_HEADER_LEN;
        let needed = section_table + table_len;
        if headers_len < needed || headers_len > len {
            return Err(PeError::HeadersLen {
                found: headers_len,
                needed,
                len,
            });
        }

        let certificate_directory = (to_usize(directories.into()) > CERTIFICATE_DIRECTORY)
            .then_some(optional + form.header_len() + CERTIFICATE_DIRECTORY * DATA_DIRECTORY_LEN);
        // INVARIANT: The headers were checked just now; the sections and the certificate table
        // are before the value is returned.
        let mut image = Self {
            bytes,
            machine,
            headers_len,
            check_sum: optional + CHECK_SUM,
            certificate_directory,
            section_table: bytes.get(section_table..needed).ok_or(too_short)?,
            certificates: None,
        };
        let certificates = match image.certificate_range()? {
            Some(range) => {
                let start = range.start;
                let table = bytes.get(range).ok_or(too_short)?;
                let signature = certificate::first_signature(table)?;
                Some(CertificateTable { start, signature })
            }
            None => None,
        };
        image.certificates = certificates;
        image.check_sections()?;
        Ok(image)
    }

    /// The place of the certificate table, if there is one.
    fn certificate_range(&self) -> Result<Option<Range<usize>>, PeError> {
        let Some(directory) = self.certificate_directory else {
            return Ok(None);
        };
        let too_short = PeError::TooShort {
            len: self.bytes.len(),
        };
        let offset = read_u32(self.bytes, directory).ok_or(too_short)?;
        let len = directory.checked_add(4);
        let len = len.and_then(|at| read_u32(self.bytes, at));
        let len = len.ok_or(too_short)?;
        if offset == 0 && len == 0 {
            return Ok(None);
        }
        certificate::check_place(offset, len, self.headers_len, self.bytes.len())?;
        let start = to_usize(offset.into());
        Ok(Some(start..start + to_usize(len.into())))
    }

    fn check_sections(&self) -> Result<(), PeError> {
        let end = self.digested_end();
        for (index, section) in self.sections().enumerate() {
            let raw = section.raw();
            if raw.is_empty() {
                continue;
            }
            let name = section.name();
            if raw.end > to_u64(self.bytes.len()) {
                return Err(PeError::SectionEnd {
                    name,
                    end: raw.end,
                    len: self.bytes.len(),
                });
            }
            if raw.start < to_u64(self.headers_len) {
                return Err(PeError::SectionInHeaders {
                    name,
                    start: raw.start,
                    headers_len: self.headers_len,
                });
            }
            if raw.end > to_u64(end) {
                return Err(PeError::SectionInCertificates {
                    name,
                    end: raw.end,
                    table: end,
                });
            }
            let other = self.sections().take(index).find(|other| {
                let other = other.raw();
                !other.is_empty() && other.start < raw.end && raw.start < other.end
            });
            if let Some(other) = other {
                return Err(PeError::SectionsOverlap {
                    name,
                    other: other.name(),
                });
            }
        }
        Ok(())
    }

    /// The end of the bytes that a signature can cover: the start of the certificate table, or the
    /// end of a file without one.
    fn digested_end(&self) -> usize {
        self.certificates
            .map_or(self.bytes.len(), |table| table.start)
    }

    /// The whole file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The number of the processor that the program is for.
    pub fn machine_number(&self) -> u16 {
        self.machine
    }

    /// The processor that the program is for, if it is a known one.
    pub fn machine(&self) -> Option<PeMachine> {
        PeMachine::from_number(self.machine)
    }

    /// The sections, in the order of their headers.
    pub fn sections(&self) -> impl Iterator<Item = Section> + 'a {
        section::sections(self.section_table)
    }

    /// The contents that a section has in the file.
    pub fn contents(&self, section: &Section) -> &'a [u8] {
        let raw = section.raw();
        let contents = self.bytes.get(to_usize(raw.start)..to_usize(raw.end));
        // By the type's invariant, only an empty section lies elsewhere.
        contents.unwrap_or_default()
    }

    /// The first signature, a PKCS#7 message in DER.
    pub fn signature(&self) -> Option<&'a [u8]> {
        self.certificates.map(|table| table.signature)
    }

    /// The parts of the file that an Authenticode digest is made of, in this order: all but the
    /// checksum, the data directory of the certificate table, and the table (Microsoft, "Windows
    /// Authenticode Portable Executable Signature Format").
    ///
    /// By that text, the headers are digested first, then the sections in the order of their
    /// offsets, and then the rest of the file. If the sections follow each other without gaps, that
    /// is the order of the file. If there are gaps, their bytes are in no digest and
    /// implementations disagree, so such a file is refused.
    pub fn digest_ranges(&self) -> Result<[Range<usize>; 3], PeError> {
        let mut covered = to_u64(self.headers_len);
        // Each round moves past one section, because sections with contents do not overlap.
        while let Some(next) = self
            .sections()
            .filter(|section| !section.raw().is_empty() && section.raw().start >= covered)
            .min_by_key(|section| section.raw().start)
        {
            let raw = next.raw();
            if raw.start > covered {
                return Err(PeError::Gap {
                    name: next.name(),
                    start: covered,
                    end: raw.start,
                });
            }
            covered = raw.end;
        }

        // Both fields lie in the headers, so no sum overflows.
        let after_check_sum = self.check_sum.saturating_add(CHECK_SUM_LEN);
        let end = self.digested_end();
        Ok(match self.certificate_directory {
            Some(directory) => [
                0..self.check_sum,
                after_check_sum..directory,
                directory.saturating_add(DATA_DIRECTORY_LEN)..end,
            ],
            None => [0..self.check_sum, after_check_sum..end, end..end],
        })
    }
}

/// The length that a truncated PE file should have, by its headers. None if the file is not
/// truncated.
pub(crate) fn missing_end(bytes: &[u8]) -> Option<u64> {
    match PeImage::parse(bytes) {
        Err(PeError::SectionEnd { end, .. }) => Some(end),
        Err(PeError::Certificates(CertificateError::Truncated { end, .. })) => Some(end),
        _ => None,
    }
}
