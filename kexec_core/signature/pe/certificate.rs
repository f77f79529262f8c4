// SPDX-License-Identifier: GPL-2.0

//! The certificate table at the end of a signed file: `WIN_CERTIFICATE` entries, each with one
//! signature (Microsoft, "PE Format", section "The Attribute Certificate Table").

use core::{
    fmt,
    mem::{
        offset_of,
        size_of, //
    }, //
};

use crate::{
    signature::der::{
        self,
        DerError, //
    },
    types::{
        bytes::{
            read_u16,
            read_u32,
            to_u64,
            to_usize, //
        },
        errno::Errno, //
    }, //
};

/// The header of an entry.
#[repr(C)]
struct WinCertificate {
    length: u32,
    revision: u16,
    certificate_type: u16,
}

/// Length of the header of an entry.
pub const CERTIFICATE_HEADER_LEN: usize = size_of::<WinCertificate>();
/// Alignment of the table and of each entry.
pub const CERTIFICATE_ALIGNMENT: usize = 8;
/// `WIN_CERT_REVISION_2_0`.
pub const REVISION_2: u16 = 0x0200;
/// `WIN_CERT_TYPE_PKCS_SIGNED_DATA`.
pub const PKCS_SIGNED_DATA: u16 = 2;
/// The longest PKCS#7 message that the kernel's parser takes.
pub const PKCS7_LEN_MAX: usize = 0xffff;

const REVISION: usize = offset_of!(WinCertificate, revision);
const CERTIFICATE_TYPE: usize = offset_of!(WinCertificate, certificate_type);

const _: () = {
    assert!(CERTIFICATE_HEADER_LEN == 8);
    assert!(REVISION == 4);
    assert!(CERTIFICATE_TYPE == 6);
};

/// Why a certificate table is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// Only one of the table's offset and length is 0.
    HalfEmpty {
        /// The table's offset.
        offset: u32,
        /// The table's length.
        len: u32,
    },
    /// The table does not start at a multiple of 8.
    Unaligned {
        /// The table's offset.
        offset: u32,
    },
    /// The table starts within the headers.
    InHeaders {
        /// The table's offset.
        offset: u32,
        /// Length of the headers.
        headers_len: usize,
    },
    /// The file ends before the table does.
    Truncated {
        /// The end of the table.
        end: u64,
        /// Length of the file.
        len: usize,
    },
    /// Something follows the table.
    Trailing {
        /// The end of the table.
        end: u64,
        /// Length of the file.
        len: usize,
    },
    /// The bytes after the last entry are too few for another one.
    Fragment {
        /// Offset in the table.
        at: usize,
        /// The number of bytes left there.
        len: usize,
    },
    /// An entry is shorter than its header, or leaves the table.
    EntryLen {
        /// Offset in the table.
        at: usize,
        /// The entry's length.
        found: u32,
        /// The number of bytes from there to the end of the table.
        left: usize,
    },
    /// An entry has another revision than 2.0.
    Revision {
        /// The revision.
        found: u16,
    },
    /// An entry has another type than that of a PKCS#7 message.
    Type {
        /// The type.
        found: u16,
    },
    /// An entry's contents do not start as a PKCS#7 message does.
    NotPkcs7 {
        /// The error in the encoding.
        error: DerError,
    },
    /// The PKCS#7 message is longer than the kernel takes.
    Oversized {
        /// The message's length.
        len: usize,
    },
    /// More than padding follows the PKCS#7 message in its entry.
    Padding {
        /// The number of bytes after it.
        len: usize,
    },
}

impl CertificateError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Oversized { .. } => Errno::MsgSize,
            _ => Errno::LibBad,
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HalfEmpty { offset, len } => write!(
                f,
                "the certificate table has {len:#x} bytes at {offset:#x}, but only a table with \
                 neither a length nor an offset is none"
            )?,
            Self::Unaligned { offset } => write!(
                f,
                "the certificate table is at {offset:#x}, but has to be at a multiple of \
                 {CERTIFICATE_ALIGNMENT}"
            )?,
            Self::InHeaders {
                offset,
                headers_len,
            } => write!(
                f,
                "the certificate table at {offset:#x} overlaps the headers, which end at \
                 {headers_len:#x}"
            )?,
            Self::Truncated { end, len } => write!(
                f,
                "the certificate table ends at {end:#x}, but the file has {len:#x} bytes, so \
                 that the signature is cut off"
            )?,
            Self::Trailing { end, len } => write!(
                f,
                "the certificate table ends at {end:#x}, but the file has {len:#x} bytes, and no \
                 signature covers what follows the table"
            )?,
            Self::Fragment { at, len } => write!(
                f,
                "the certificate table has {len} bytes left at {at:#x}, too few for an entry of \
                 {CERTIFICATE_HEADER_LEN} bytes or more"
            )?,
            Self::EntryLen { at, found, left } => write!(
                f,
                "the certificate table has an entry of {found:#x} bytes at {at:#x}, but an entry \
                 has from {CERTIFICATE_HEADER_LEN} to {left:#x} bytes there"
            )?,
            Self::Revision { found } => write!(
                f,
                "the certificate table has an entry of revision {found:#06x}, but \
                 {REVISION_2:#06x} (2.0) is needed"
            )?,
            Self::Type { found } => write!(
                f,
                "the certificate table has an entry of type {found:#06x}, but \
                 {PKCS_SIGNED_DATA:#06x} (PKCS#7) is needed"
            )?,
            Self::NotPkcs7 { error } => {
                write!(f, "the signature is not a PKCS#7 message: {error}")?
            }
            Self::Oversized { len } => write!(
                f,
                "the signature has {len} bytes, but {PKCS7_LEN_MAX} at most are taken"
            )?,
            Self::Padding { len } => write!(
                f,
                "{len} bytes follow the signature in its entry, but only zeros up to the next \
                 multiple of {CERTIFICATE_ALIGNMENT} may"
            )?,
        }
        f.write_str(": sign the kernel again")
    }
}

/// Checks the place of the certificate table: after the headers, and at the file's end.
pub(super) fn check_place(
    offset: u32,
    table_len: u32,
    headers_len: usize,
    len: usize,
) -> Result<(), CertificateError> {
    let start = to_usize(offset.into());
    let end = u64::from(offset) + u64::from(table_len);
    if offset == 0 || table_len == 0 {
        return Err(CertificateError::HalfEmpty {
            offset,
            len: table_len,
        });
    }
    if start % CERTIFICATE_ALIGNMENT != 0 {
        return Err(CertificateError::Unaligned { offset });
    }
    if start < headers_len {
        return Err(CertificateError::InHeaders {
            offset,
            headers_len,
        });
    }
    if end > to_u64(len) {
        return Err(CertificateError::Truncated { end, len });
    }
    if end < to_u64(len) {
        return Err(CertificateError::Trailing { end, len });
    }
    Ok(())
}

/// Checks all entries of the table, and returns the signature in the first.
pub(super) fn first_signature(table: &[u8]) -> Result<&[u8], CertificateError> {
    let mut first = None;
    let mut at = 0;
    loop {
        let rest = table.get(at..).unwrap_or_default();
        let left = rest.len();
        let fragment = CertificateError::Fragment { at, len: left };
        let length = read_u32(rest, 0).ok_or(fragment)?;
        let revision = read_u16(rest, REVISION).ok_or(fragment)?;
        let certificate_type = read_u16(rest, CERTIFICATE_TYPE).ok_or(fragment)?;
        let len = to_usize(length.into());
        let contents = rest
            .get(CERTIFICATE_HEADER_LEN..len)
            .ok_or(CertificateError::EntryLen {
                at,
                found: length,
                left,
            })?;
        if revision != REVISION_2 {
            return Err(CertificateError::Revision { found: revision });
        }
        if certificate_type != PKCS_SIGNED_DATA {
            return Err(CertificateError::Type {
                found: certificate_type,
            });
        }
        let signature = pkcs7(contents)?;
        first = first.or(Some(signature));

        // The padding of the last entry can be missing.
        let padded = len.checked_next_multiple_of(CERTIFICATE_ALIGNMENT);
        match padded.and_then(|padded| at.checked_add(padded)) {
            Some(next) if next < table.len() => at = next,
            _ => return first.ok_or(fragment),
        }
    }
}

/// The PKCS#7 message in an entry, without the padding after it.
fn pkcs7(contents: &[u8]) -> Result<&[u8], CertificateError> {
    let message = der::first_element(contents, der::SEQUENCE)
        .map_err(|error| CertificateError::NotPkcs7 { error })?;
    let padding = contents.get(message.len()..).unwrap_or_default();
    if padding.len() >= CERTIFICATE_ALIGNMENT || padding.iter().any(|byte| *byte != 0) {
        return Err(CertificateError::Padding { len: padding.len() });
    }
    check_pkcs7_len(message)?;
    Ok(message)
}

/// Refuses a PKCS#7 message that is longer than the kernel takes.
pub fn check_pkcs7_len(message: &[u8]) -> Result<(), CertificateError> {
    match message.len() {
        ..=PKCS7_LEN_MAX => Ok(()),
        len => Err(CertificateError::Oversized { len }),
    }
}
