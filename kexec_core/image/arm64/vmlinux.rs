// SPDX-License-Identifier: GPL-2.0

//! The uncompressed arm64 kernel as its build links it (vmlinux). Its first segment starts with
//! the header of the Image that is made from it, and its memory is that of the Image.

use core::fmt;

use super::{
    headed::{
        Headed,
        Pieces, //
    },
    header::{
        ImageError,
        ImageHeader, //
    }, //
};
use crate::{
    image::{
        elf_kernel::{
            ElfKernel,
            ElfKernelError, //
        },
        Piece, //
    },
    types::{
        bytes::to_usize,
        elf,
        errno::Errno, //
    }, //
};

/// Why a file is not a vmlinux that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmlinuxError {
    /// The ELF file is malformed.
    Elf(ElfKernelError),
    /// The Image header in the first segment is.
    Image(ImageError),
    /// The entry point is not the Image's.
    Entry {
        /// The entry point, counted from the start of the first segment.
        offset: u64,
    },
}

impl From<ElfKernelError> for VmlinuxError {
    fn from(error: ElfKernelError) -> Self {
        Self::Elf(error)
    }
}

impl From<ImageError> for VmlinuxError {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl VmlinuxError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Elf(error) => error.errno(),
            Self::Image(error) => error.errno(),
            Self::Entry { .. } => Errno::NoExec,
        }
    }
}

impl fmt::Display for VmlinuxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => error.fmt(f),
            Self::Image(error) => write!(f, "the kernel's first segment: {error}"),
            Self::Entry { offset } => write!(
                f,
                "the kernel's entry point is {offset:#x} bytes after its first segment's start, \
                 but an arm64 kernel is entered there: give the vmlinux as the kernel's build \
                 made it"
            ),
        }
    }
}

/// A vmlinux, whose segments are copied to memory.
pub type Vmlinux<'a> = Headed<ElfKernel<'a>>;

impl Pieces for ElfKernel<'_> {
    fn nth_piece(&self, index: usize) -> Option<Piece<'_>> {
        self.piece(index)
    }
}

impl<'a> Vmlinux<'a> {
    /// Reads the headers of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, VmlinuxError> {
        let elf = ElfKernel::parse(bytes, elf::Architecture::Arm64)?;
        let start = elf
            .piece(0)
            .filter(|piece| piece.offset == 0)
            .map_or(&[][..], |piece| piece.bytes);
        let header = ImageHeader::parse(start)?;
        header.check_len(to_usize(elf.memory().len()))?;
        let offset = elf.entry_offset();
        if offset != 0 {
            return Err(VmlinuxError::Entry { offset });
        }
        Ok(Self {
            header,
            contents: elf,
        })
    }

    /// The segments.
    pub fn elf(&self) -> &ElfKernel<'a> {
        &self.contents
    }
}
