// SPDX-License-Identifier: GPL-2.0

//! Why there is no log.

use std::fmt;

use crate::vmcoreinfo::VmcoreinfoError;

/// The logarithm of the largest buffer, which log_buf_len= limits to 2 GiB.
pub const SIZE_BITS_MAX: u32 = 31;
/// The logarithm of the largest number of records: one for each 32 bytes of text.
pub const COUNT_BITS_MAX: u32 = SIZE_BITS_MAX - 5;

/// Why there is no log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// VMCOREINFO does not have what the log is found by, which kernels have since 5.10.
    Vmcoreinfo(VmcoreinfoError),
    /// A line of VMCOREINFO has a length that no structure has, or an offset outside of it.
    Layout(String),
    /// A part of it is not in the dump.
    Memory {
        /// What is there.
        what: &'static str,
        /// Its virtual address.
        address: u64,
        /// The reader's words.
        reason: String,
    },
    /// It says that it has a size that no kernel gives it.
    Size {
        /// The logarithm of the number of records.
        count_bits: u32,
        /// The logarithm of the length of the text.
        size_bits: u32,
    },
}

impl LogError {
    /// A part that the reader did not get.
    pub fn memory(what: &'static str, address: u64, error: impl fmt::Display) -> Self {
        Self::Memory {
            what,
            address,
            reason: error.to_string(),
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vmcoreinfo(error) => {
                write!(f, "the kernel's log is not found: {error}")
            }
            Self::Layout(line) => write!(
                f,
                "the kernel's log is not found: the line {line}= of the kernel's VMCOREINFO is outside of the \
                 structure that it is about"
            ),
            Self::Memory {
                what,
                address,
                reason,
            } => write!(f, "{what} at {address:#x} cannot be read: {reason}"),
            Self::Size {
                count_bits,
                size_bits,
            } => write!(
                f,
                "the kernel's log is damaged: it has 2^{count_bits} records and 2^{size_bits} bytes of text by \
                 its own word, and at most 2^{COUNT_BITS_MAX} and 2^{SIZE_BITS_MAX} are possible"
            ),
        }
    }
}

impl std::error::Error for LogError {}

impl From<VmcoreinfoError> for LogError {
    fn from(error: VmcoreinfoError) -> Self {
        Self::Vmcoreinfo(error)
    }
}
