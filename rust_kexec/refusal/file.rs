// SPDX-License-Identifier: GPL-2.0

//! Refusals of files that cannot be read or unpacked.

use super::errno::errno;
use crate::compat::prelude::*;
use core::fmt;
use kexec_core::types::{
    errno::Errno,
    size::Size, //
};

/// Why a file is of no use.
pub(crate) enum FileError {
    /// A file could not be read.
    Unreadable { what: &'static str, error: Error },
    /// A segment is too large for one digest.
    TooLarge { what: &'static str, len: u64 },
    /// A compressed kernel is longer than any that has a place.
    DecompressedLength { limit: usize },
    /// The running kernel cannot decompress this.
    NoDecompressor { by: &'static str },
}

impl FileError {
    /// The errno that goes with it.
    pub(super) fn errno(&self) -> Error {
        match self {
            Self::Unreadable { error, .. } => *error,
            Self::TooLarge { .. } => EFBIG,
            Self::DecompressedLength { .. } => errno(Errno::AddrNotAvail),
            Self::NoDecompressor { .. } => errno(Errno::NoPkg),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { what, error } => write!(
                f,
                "the {what} could not be read (error {}): give a readable regular file that is not \
                 empty",
                -error.to_errno(),
            ),
            Self::TooLarge { what, len } => write!(
                f,
                "the {what} is {} long and a segment may have 4 GiB at most: use a smaller one",
                Size(*len),
            ),
            Self::DecompressedLength { limit } => write!(
                f,
                "the compressed kernel becomes longer than {}, which is the length of the \
                 reserved region: boot with a larger crashkernel=",
                Size(*limit as u64),
            ),
            Self::NoDecompressor { by } => write!(
                f,
                "the running kernel was built without code to decompress {by}: decompress the \
                 kernel before it is loaded",
            ),
        }
    }
}
