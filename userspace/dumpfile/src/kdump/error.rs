// SPDX-License-Identifier: GPL-2.0

//! Why a kdump-compressed file cannot be read.

use std::{
    fmt,
    io, //
};

use kexec_core::dump::kdump_compressed::{
    layout::VERSION,
    KdumpCompressedError, //
};

/// Why a kdump-compressed file cannot be read.
#[derive(Debug)]
pub enum KdumpError {
    /// The file cannot be read.
    Io(io::Error),
    /// It does not begin as such a file.
    Signature,
    /// It is of a version that has other fields.
    Version(u32),
    /// What is wrong with its header.
    Header(KdumpCompressedError),
    /// The file ends before something that its header says is there.
    Short {
        /// What.
        what: &'static str,
        /// The offset after it.
        end: u64,
        /// The length of the file.
        len: u64,
    },
    /// Its notes are longer than those of any machine.
    NotesLen(u64),
    /// It has more frames than bits for them.
    Frames {
        /// The frame after the last one.
        end: u64,
        /// The number of bits.
        bits: u64,
    },
}

impl fmt::Display for KdumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the dump cannot be read: {error}"),
            Self::Signature => write!(
                f,
                "the file is not kdump-compressed: it does not begin with \"KDUMP   \""
            ),
            Self::Version(version) => write!(
                f,
                "the file is kdump-compressed in version {version}; from version {VERSION} on it is \
                 read, which makedumpfile has written since 2013"
            ),
            Self::Header(error) => error.fmt(f),
            Self::Short { what, end, len } => write!(
                f,
                "the file is kdump-compressed, and ends at {len:#x}, before the end of {what} at \
                 {end:#x}: it was cut off or damaged"
            ),
            Self::NotesLen(len) => write!(
                f,
                "the file is kdump-compressed, and says that it has {len:#x} bytes of notes, which is \
                 more than any machine's: it was damaged"
            ),
            Self::Frames { end, bits } => write!(
                f,
                "the file is kdump-compressed, and has {end:#x} frames, but {bits:#x} bits for them: \
                 it was damaged"
            ),
        }
    }
}

impl std::error::Error for KdumpError {}
