// SPDX-License-Identifier: GPL-2.0

//! The structures' lengths, which differ between versions.

use crate::types::errno::Errno;
use core::fmt;

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
