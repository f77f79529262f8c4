// SPDX-License-Identifier: GPL-2.0

//! The errors of reading a bzImage.

use core::fmt;

use crate::{
    image::x86_64::setup_header::{
        BOOT_FLAG_MAGIC,
        COMMAND_LINE_MAX,
        HEADER_END_MAX,
        HEADER_END_MIN,
        HEADER_MAGIC, //
    },
    types::{
        bytes::to_u64,
        errno::Errno,
        size::Size, //
    }, //
};

/// Why a file is not a bzImage that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BzImageError {
    /// The file ends before the setup header does.
    TooShort {
        /// Length of the file.
        len: usize,
    },
    /// The boot sector's signature is missing.
    BootFlag {
        /// The value found.
        found: u16,
    },
    /// The setup header's signature is missing.
    Magic {
        /// The value found.
        found: u32,
    },
    /// The boot protocol is too old.
    Version {
        /// The version found.
        found: u16,
    },
    /// The image is a zImage.
    NotLoadedHigh,
    /// There is no 64-bit entry point.
    NotKernel64,
    /// The setup header has an end that is not possible.
    HeaderEnd {
        /// The end found.
        found: usize,
    },
    /// The file ends before the code does.
    Truncated {
        /// Length of the file.
        len: usize,
        /// Length that the header speaks of.
        expected: u64,
    },
    /// There is no protected-mode code.
    Empty,
    /// The kernel can only run at one address.
    NotRelocatable,
    /// The alignment is not a power of two.
    Alignment {
        /// The alignment found.
        found: u32,
    },
    /// The code does not fit into the memory that the kernel says it needs.
    InitSize {
        /// The memory that the kernel says it needs.
        init_size: u32,
        /// Length of the protected-mode code.
        len: usize,
    },
    /// The longest command line is 0, or longer than any kernel's.
    CommandLine {
        /// The length in the header.
        found: u32,
    },
    /// The compressed kernel is empty or leaves the protected-mode code.
    Payload {
        /// Offset of the compressed kernel.
        offset: u32,
        /// Length of the compressed kernel.
        payload_len: u32,
        /// Length of the protected-mode code.
        len: usize,
    },
}

impl BzImageError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::InitSize { .. } | Self::CommandLine { .. } => Errno::Inval,
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for BzImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(
                f,
                "the kernel is not a bzImage: the file has {len} bytes, too few for a setup \
                 header: get it again"
            ),
            Self::BootFlag { found } => write!(
                f,
                "the kernel is not a bzImage: the boot sector has the signature {found:#06x}, \
                 not {BOOT_FLAG_MAGIC:#06x}: give the vmlinuz below /boot"
            ),
            Self::Magic { found } => write!(
                f,
                "the kernel is not a bzImage: the setup header has the signature {found:#010x}, \
                 not {HEADER_MAGIC:#010x} (\"HdrS\"): give the vmlinuz below /boot"
            ),
            Self::Version { found } => {
                let [major, minor] = found.to_be_bytes();
                write!(
                    f,
                    "the kernel has boot protocol {major}.{minor:02}, but 2.12 or newer is needed: \
                     is it older than Linux 3.8?"
                )
            }
            Self::NotLoadedHigh => write!(
                f,
                "the kernel is a zImage (LOADED_HIGH is not set), but a bzImage is needed: make \
                 bzImage builds one"
            ),
            Self::NotKernel64 => write!(
                f,
                "the kernel has no 64-bit entry point (XLF_KERNEL_64 is not set): use one built \
                 for x86_64"
            ),
            Self::HeaderEnd { found } => write!(
                f,
                "the kernel's setup header ends at {found:#x}, but an end from \
                 {HEADER_END_MIN:#x} to {HEADER_END_MAX:#x} is possible: the image is damaged"
            ),
            Self::Truncated { len, expected } => write!(
                f,
                "the kernel is truncated: the file has {len} bytes, but its setup header speaks \
                 of {expected}: get it again"
            ),
            Self::Empty => write!(
                f,
                "the kernel's setup header speaks of no protected-mode code: the image is damaged"
            ),
            Self::NotRelocatable => write!(
                f,
                "the kernel is not relocatable, so it cannot run in reserved memory: use one \
                 built with CONFIG_RELOCATABLE"
            ),
            Self::Alignment { found } => write!(
                f,
                "the kernel asks for an alignment of {found:#x}, which is not a power of two: \
                 the image is damaged"
            ),
            Self::InitSize { init_size, len } => write!(
                f,
                "the kernel says that it needs {} of memory, but its code has {}: the image is \
                 damaged",
                Size(init_size.into()),
                Size(to_u64(len))
            ),
            Self::CommandLine { found } => write!(
                f,
                "the kernel says that it takes command lines of {found} bytes (cmdline_size), but \
                 1 to {COMMAND_LINE_MAX} are possible: the image is damaged"
            ),
            Self::Payload {
                offset,
                payload_len,
                len,
            } => write!(
                f,
                "the compressed kernel at {offset:#x} with {payload_len:#x} bytes is empty or \
                 leaves the protected-mode code of {len:#x} bytes: the image is damaged"
            ),
        }
    }
}
