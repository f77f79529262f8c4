// SPDX-License-Identifier: GPL-2.0

//! Authenticode: the contents that a PE file's signature signs, and the comparison with the file.
//!
//! The PKCS#7 message in the file signs a structure with the file's digest in it,
//! `SpcIndirectDataContent` (Microsoft, "Windows Authenticode Portable Executable Signature
//! Format"). A caller that has checked the message compares that digest with one of
//! [`crate::signature::pe::PeImage::digest_ranges`].

use core::fmt;

use crate::{
    signature::der::{
        DerError,
        ObjectIdentifier,
        Reader,
        EXPLICIT_0,
        INTEGER,
        OBJECT_IDENTIFIER,
        OCTET_STRING,
        SEQUENCE,
        SET, //
    },
    types::errno::Errno, //
};

/// 1.3.6.1.4.1.311.2.1.15, `SPC_PE_IMAGE_DATAOBJ`: the digest of a PE file follows.
const PE_IMAGE_DATA: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 15];
/// 1.3.6.1.4.1.311.2.1.21, which old versions of pesign wrote instead.
const INDIVIDUAL_KEY_PURPOSE: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 21];

/// 1.2.840.113549.1.7.2, `id-signedData`: a PKCS#7 message with a signature.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// 1.3.6.1.4.1.311.2.1.4, `SPC_INDIRECT_DATA_OBJID`: the signed contents are the digest of a file.
const INDIRECT_DATA: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 4];

/// The digests that a file can be signed with (NIST, "Computer Security Objects Register").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The object identifier in DER, without tag and length.
    pub const fn object_identifier(self) -> &'static [u8] {
        match self {
            Self::Sha256 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
            Self::Sha384 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2],
            Self::Sha512 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
        }
    }

    /// The name in the kernel's crypto interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the digest.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Why signed contents do not vouch for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticodeError {
    /// The contents are not DER of the expected structure.
    Der(DerError),
    /// The contents are not about a PE file.
    ContentType {
        /// The type of the contents.
        found: ObjectIdentifier,
    },
    /// The digest algorithm is not supported.
    Algorithm {
        /// The algorithm.
        found: ObjectIdentifier,
    },
    /// The digest has another length than the algorithm's.
    DigestLen {
        /// The algorithm.
        algorithm: DigestAlgorithm,
        /// The digest's length.
        len: usize,
    },
    /// The file has another digest.
    Mismatch {
        /// The algorithm.
        algorithm: DigestAlgorithm,
    },
}

impl From<DerError> for AuthenticodeError {
    fn from(error: DerError) -> Self {
        Self::Der(error)
    }
}

impl AuthenticodeError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Algorithm { .. } => Errno::NoPkg,
            Self::Mismatch { .. } => Errno::KeyRejected,
            _ => Errno::BadMsg,
        }
    }
}

impl fmt::Display for AuthenticodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Der(error) => write!(
                f,
                "what the signature signs is not an Authenticode digest: {error}: sign the kernel \
                 again, with sbsign for example"
            ),
            Self::ContentType { found } => write!(
                f,
                "the signature is not one of an EFI program: it signs an object of type {found}: \
                 sign the kernel again, with sbsign for example"
            ),
            Self::Algorithm { found } => write!(
                f,
                "the signature has a digest of algorithm {found}, but SHA-256, SHA-384 or SHA-512 \
                 is needed: sign the kernel again with one of these"
            ),
            Self::DigestLen { algorithm, len } => write!(
                f,
                "the signature has a {} digest of {len} bytes, which has {}: sign the kernel again",
                algorithm.name(),
                algorithm.digest_len()
            ),
            Self::Mismatch { algorithm } => write!(
                f,
                "the kernel is not the file that was signed: its {} digest is another one than \
                 the signature has; get the file again, or sign it again if it was meant to change",
                algorithm.name()
            ),
        }
    }
}

/// Takes the signed contents out of a PKCS#7 message (RFC 2315, sections 7 and 9.1), from the tag
/// of `SpcIndirectDataContent` on. The signature itself is not checked.
pub fn signed_contents(message: &[u8]) -> Result<&[u8], AuthenticodeError> {
    let mut outer = Reader::new(message);
    let mut content_info = Reader::new(outer.expect(SEQUENCE)?);
    of_type(&mut content_info, SIGNED_DATA)?;
    let mut explicit = Reader::new(content_info.expect(EXPLICIT_0)?);
    let mut signed_data = Reader::new(explicit.expect(SEQUENCE)?);
    // The version, and the algorithms that the signers have used.
    signed_data.expect(INTEGER)?;
    signed_data.expect(SET)?;
    let mut contents = Reader::new(signed_data.expect(SEQUENCE)?);
    of_type(&mut contents, INDIRECT_DATA)?;
    Ok(contents.expect(EXPLICIT_0)?)
}

/// Reads a type, which has to be this one.
fn of_type(reader: &mut Reader<'_>, expected: &[u8]) -> Result<(), AuthenticodeError> {
    match reader.expect(OBJECT_IDENTIFIER)? {
        found if found == expected => Ok(()),
        found => Err(AuthenticodeError::ContentType {
            found: ObjectIdentifier::new(found),
        }),
    }
}

/// The contents that the PKCS#7 message signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndirectData<'a> {
    algorithm: DigestAlgorithm,
    digest: &'a [u8],
}

impl<'a> IndirectData<'a> {
    /// Reads the signed contents, from the tag of `SpcIndirectDataContent` on.
    pub fn parse(content: &'a [u8]) -> Result<Self, AuthenticodeError> {
        let mut outer = Reader::new(content);
        let mut indirect_data = Reader::new(outer.expect(SEQUENCE)?);
        outer.finish()?;

        // The fields after the type in `data`, flags and a file name, are not used.
        let mut data = Reader::new(indirect_data.expect(SEQUENCE)?);
        let content_type = data.expect(OBJECT_IDENTIFIER)?;
        if ![PE_IMAGE_DATA, INDIVIDUAL_KEY_PURPOSE].contains(&content_type) {
            return Err(AuthenticodeError::ContentType {
                found: ObjectIdentifier::new(content_type),
            });
        }

        let mut message_digest = Reader::new(indirect_data.expect(SEQUENCE)?);
        indirect_data.finish()?;
        let mut identifier = Reader::new(message_digest.expect(SEQUENCE)?);
        let digest = message_digest.expect(OCTET_STRING)?;
        message_digest.finish()?;
        let found = identifier.expect(OBJECT_IDENTIFIER)?;
        let algorithm = DigestAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.object_identifier() == found)
            .ok_or(AuthenticodeError::Algorithm {
                found: ObjectIdentifier::new(found),
            })?;
        if digest.len() != algorithm.digest_len() {
            return Err(AuthenticodeError::DigestLen {
                algorithm,
                len: digest.len(),
            });
        }
        Ok(Self { algorithm, digest })
    }

    /// The algorithm to digest the file with.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The digest that was signed.
    pub fn digest(&self) -> &'a [u8] {
        self.digest
    }

    /// Compares the digest that was signed with the file's.
    pub fn check(&self, computed: &[u8]) -> Result<(), AuthenticodeError> {
        if self.digest != computed {
            return Err(AuthenticodeError::Mismatch {
                algorithm: self.algorithm,
            });
        }
        Ok(())
    }
}
