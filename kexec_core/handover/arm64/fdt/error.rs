// SPDX-License-Identifier: GPL-2.0

//! The errors of reading a flattened device tree.

use core::fmt;

use super::header::{
    DEPTH_MAX,
    HEADER_LEN,
    MAGIC,
    NAME_LEN_MAX,
    VERSION, //
};
use crate::types::errno::Errno;

/// Why a device tree cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdtError {
    /// There are too few bytes for a header.
    TooShort {
        /// The number of bytes.
        len: usize,
    },
    /// The magic number is missing.
    Magic {
        /// The value found.
        found: u32,
    },
    /// The format's version is not one that is read.
    Version {
        /// The version.
        found: u32,
        /// The oldest version that it says to be compatible with.
        last_comp_version: u32,
    },
    /// The header tells a greater length than there is.
    Truncated {
        /// The number of bytes.
        len: usize,
        /// The length in the header.
        totalsize: u32,
    },
    /// A block leaves the tree.
    Block {
        /// The block's name.
        name: &'static str,
        /// The block's offset.
        offset: u32,
        /// The block's length, if the header tells it.
        len: u32,
        /// The tree's length.
        totalsize: u32,
    },
    /// A memory reservation is not a range, or none closes the list.
    Reservation {
        /// The number of the reservation, counted from 0.
        index: usize,
    },
    /// There is a token of an unknown kind.
    Token {
        /// Offset in the structure block.
        offset: usize,
        /// The token.
        found: u32,
    },
    /// The structure block ends within a token.
    Cut {
        /// Offset of the token in the structure block.
        offset: usize,
    },
    /// A name has no end, or is longer than [`NAME_LEN_MAX`].
    Name {
        /// Offset of the name's token in the structure block.
        offset: usize,
    },
    /// Nodes do not nest.
    Nesting {
        /// Offset of the misplaced token in the structure block.
        offset: usize,
    },
    /// Nodes nest deeper than [`DEPTH_MAX`].
    Depth {
        /// Offset of the node in the structure block.
        offset: usize,
    },
}

impl FdtError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::Inval
    }
}

impl fmt::Display for FdtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(
                f,
                "the device tree has {len} bytes, but its header alone has {HEADER_LEN}"
            ),
            Self::Magic { found } => write!(
                f,
                "this is not a flattened device tree: it starts with {found:#010x}, not \
                 {MAGIC:#010x}"
            ),
            Self::Version {
                found,
                last_comp_version,
            } => write!(
                f,
                "the device tree has version {found}, compatible from {last_comp_version} on, \
                 but version {VERSION} is needed: convert it with dtc"
            ),
            Self::Truncated { len, totalsize } => write!(
                f,
                "the device tree is truncated: it has {len} bytes, but its header speaks of \
                 {totalsize}"
            ),
            Self::Block {
                name,
                offset,
                len,
                totalsize,
            } => write!(
                f,
                "the device tree's {name} block at {offset:#x} with {len:#x} bytes is misaligned \
                 or leaves the tree of {totalsize:#x} bytes: the tree is damaged"
            ),
            Self::Reservation { index } => write!(
                f,
                "the device tree's memory reservation {index} is not a range of addresses, or \
                 the list has no end: the tree is damaged"
            ),
            Self::Token { offset, found } => write!(
                f,
                "the device tree has the unknown token {found:#x} at {offset:#x} of its structure \
                 block: the tree is damaged"
            ),
            Self::Cut { offset } => write!(
                f,
                "the device tree's structure block ends within the token at {offset:#x}: the tree \
                 is damaged"
            ),
            Self::Name { offset } => write!(
                f,
                "the token at {offset:#x} of the device tree's structure block has a name without \
                 an end or of more than {NAME_LEN_MAX} bytes: the tree is damaged"
            ),
            Self::Nesting { offset } => write!(
                f,
                "the token at {offset:#x} of the device tree's structure block is out of place: \
                 one root is needed, with each node's properties before its subnodes"
            ),
            Self::Depth { offset } => write!(
                f,
                "the node at {offset:#x} of the device tree's structure block is nested deeper \
                 than {DEPTH_MAX}, which the kernel does not read either"
            ),
        }
    }
}
