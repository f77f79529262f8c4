// SPDX-License-Identifier: GPL-2.0

//! The errors of reading and of decompressing a compressed kernel.

use core::fmt;

use super::compression::{
    Compression,
    DECOMPRESSED_LEN_MAX,
    ZSTD_WINDOW_MAX, //
};
use crate::types::{
    bytes::to_u64,
    errno::Errno,
    size::Size, //
};

/// Why compressed data cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressedError {
    /// The data end within their framing.
    TooShort {
        /// The compression of the data.
        compression: Compression,
        /// The length of the data.
        len: usize,
    },
    /// The magic number is missing.
    Magic {
        /// The expected compression.
        compression: Compression,
    },
    /// A gzip member has another method than deflate.
    Method {
        /// The method.
        found: u8,
    },
    /// A flag is set that has no meaning yet.
    Reserved {
        /// The compression of the data.
        compression: Compression,
        /// The flags.
        found: u8,
    },
    /// A file of lzop was not made as the kernel's build makes it.
    Lzop {
        /// The version of lzop.
        version: u16,
        /// The flags.
        flags: u32,
    },
    /// The decompressed data would be too long.
    TooLong {
        /// The decompressed length.
        len: u64,
    },
    /// The framing tells a length that the data cannot have.
    Ratio {
        /// Length of the compressed data.
        len: usize,
        /// The length in the framing.
        decompressed_len: u64,
    },
    /// The decompressed data would be empty.
    Empty,
    /// A zstd frame has too large a window.
    Window {
        /// The window's length.
        len: u64,
    },
    /// A zstd frame needs a dictionary.
    Dictionary,
    /// The data cannot be decompressed.
    Damaged {
        /// The compression of the data.
        compression: Compression,
    },
    /// The decompressed data have another length than the framing tells, or are too long.
    WrongLen {
        /// The length in the framing.
        expected: u64,
    },
    /// The lengths in the frame and after it differ.
    Disagree {
        /// The length in the frame.
        frame: u64,
        /// The length after the frame.
        appended: u64,
    },
}

impl CompressedError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Window { .. } => Errno::NoMem,
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for CompressedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { compression, len } => write!(
                f,
                "the compressed kernel is truncated: its {} data end after {len} bytes",
                compression.name()
            ),
            Self::Magic { compression } => write!(
                f,
                "the compressed kernel does not start as {} data do: the image is damaged",
                compression.name()
            ),
            Self::Method { found } => write!(
                f,
                "the kernel is compressed by gzip's method {found}, but only 8 (deflate) is known: \
                 the image is damaged"
            ),
            Self::Reserved { compression, found } => write!(
                f,
                "the compressed kernel has the {} flags {found:#04x}, of which some are not \
                 defined: compress it again, without special options",
                compression.name()
            ),
            Self::Lzop { version, flags } => write!(
                f,
                "the compressed kernel has the lzop version {version:#06x} and flags {flags:#x}, \
                 which no kernel's build uses: compress it again, without special options"
            ),
            Self::TooLong { len } => write!(
                f,
                "the compressed kernel says that it becomes {}, but {} at most are taken: the \
                 image is damaged",
                Size(len),
                Size(DECOMPRESSED_LEN_MAX)
            ),
            Self::Ratio {
                len,
                decompressed_len,
            } => write!(
                f,
                "the compressed kernel of {} says that it becomes {}, which is more than gzip can \
                 make of it: the image is damaged, or something follows it in the file",
                Size(to_u64(len)),
                Size(decompressed_len)
            ),
            Self::Empty => write!(
                f,
                "the compressed kernel says that it becomes 0 bytes: the image is damaged, or \
                 something follows it in the file"
            ),
            Self::Window { len } => write!(
                f,
                "the kernel is compressed by zstd with a window of {}, but {} at most are taken: \
                 compress it again, without --long",
                Size(len),
                Size(ZSTD_WINDOW_MAX)
            ),
            Self::Dictionary => write!(
                f,
                "the kernel is compressed by zstd with a dictionary, which nobody has here: \
                 compress it again, without -D"
            ),
            Self::Damaged { compression } => write!(
                f,
                "the compressed kernel cannot be decompressed: its {} data are damaged; get it \
                 again",
                compression.name()
            ),
            Self::WrongLen { expected } => write!(
                f,
                "the compressed kernel does not become {}, as it should: the image is damaged, or \
                 something follows it in the file",
                Size(expected)
            ),
            Self::Disagree { frame, appended } => write!(
                f,
                "the compressed kernel says that it becomes {frame:#x} bytes, but the length \
                 appended to it is {appended:#x}: the image is damaged"
            ),
        }
    }
}
