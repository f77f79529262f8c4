// SPDX-License-Identifier: GPL-2.0

//! The uncompressed arm64 kernel as its build links it (vmlinux). Its first segment starts with
//! the header of the Image that is made from it, and its memory is that of the Image.

use core::fmt;
use core::ops::Deref;

use super::image::{ImageError, ImageHeader, Machine, VerifyError, BASE_ALIGNMENT, PHYSICAL_LIMIT};
use crate::bytes::to_usize;
use crate::elf;
use crate::elf_kernel::{ElfKernel, ElfKernelError};
use crate::error::Errno;
use crate::image::{KernelImage, Piece, Verified};
use crate::ranges::Range;

/// Why a file is not a vmlinux that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmlinuxError {
    /// The ELF file is malformed.
    Elf(ElfKernelError),
    /// The Image header in the first segment is.
    Image(ImageError),
    /// The entry point is not the Image's.
    Entry {
        /// Where it is, counted from the first segment.
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
                "the kernel's entry point is {offset:#x} bytes behind its first segment's start, \
                 but an arm64 kernel is entered there: give the vmlinux as the kernel's build \
                 made it"
            ),
        }
    }
}

/// A vmlinux whose headers make sense.
#[derive(Clone, Copy, Debug)]
pub struct Vmlinux<'a> {
    elf: ElfKernel<'a>,
    header: ImageHeader,
}

impl Deref for Vmlinux<'_> {
    type Target = ImageHeader;

    fn deref(&self) -> &ImageHeader {
        &self.header
    }
}

impl<'a> Vmlinux<'a> {
    /// Reads the headers of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, VmlinuxError> {
        let elf = ElfKernel::parse(bytes, elf::Machine::Aarch64)?;
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
        Ok(Self { elf, header })
    }

    /// The segments.
    pub fn elf(&self) -> &ElfKernel<'a> {
        &self.elf
    }

    /// Checks that the kernel can be entered on this machine, in this region.
    pub fn verify(self, machine: &Machine) -> Result<Verified<Self>, VerifyError> {
        let header = self.header;
        header.verify(self, machine)
    }
}

impl KernelImage for Vmlinux<'_> {
    fn piece(&self, index: usize) -> Option<Piece<'_>> {
        self.elf.piece(index)
    }

    fn memory_len(&self) -> u64 {
        self.image_size()
    }

    fn alignment(&self) -> u64 {
        BASE_ALIGNMENT
    }

    fn alignment_offset(&self) -> u64 {
        self.text_offset()
    }

    fn limit(&self) -> Range {
        PHYSICAL_LIMIT
    }

    fn entry_offset(&self) -> u64 {
        0
    }
}
