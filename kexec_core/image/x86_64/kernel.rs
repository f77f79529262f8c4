// SPDX-License-Identifier: GPL-2.0

//! A kernel for x86_64, in either of the two formats that are loaded as they are.

use super::bzimage::{BzImage, BzImageError};
use super::protocol::BootProtocol;
use super::verify::{EntryConditions, VerifyError};
use super::vmlinux::Vmlinux;
use crate::image::elf_kernel::ElfKernelError;
use crate::image::format::{Format, FormatError};
use crate::image::{kernel_in_a_format, Verified};
use crate::types::errno::wrap_errors;

wrap_errors! {
    /// Why a file is not an x86_64 kernel that can be loaded.
    pub enum KernelError {
        /// The file has another format.
        Format(FormatError),
        /// The bzImage is malformed.
        BzImage(BzImageError),
        /// The ELF file is malformed.
        Vmlinux(ElfKernelError),
    }
}

/// A kernel with headers that were checked.
#[derive(Clone, Copy, Debug)]
pub enum Kernel<'a> {
    /// A bzImage.
    BzImage(BzImage<'a>),
    /// An ELF file.
    Vmlinux(Vmlinux<'a>),
}

/// Evaluates an expression for the kernel in either format.
macro_rules! either {
    ($kernel:expr, $inner:ident => $answer:expr) => {
        match $kernel {
            Kernel::BzImage($inner) => $answer,
            Kernel::Vmlinux($inner) => $answer,
        }
    };
}

impl<'a> Kernel<'a> {
    /// Reads the headers of the file with these bytes. Compressed files and unified kernel images
    /// have to be unpacked before.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, KernelError> {
        Ok(match Format::detect(bytes)? {
            Format::Elf => Self::Vmlinux(Vmlinux::parse(bytes)?),
            Format::Arm64Image => {
                return Err(FormatError::OtherKernel {
                    what: "kernel for arm64",
                }
                .into())
            }
            _ => Self::BzImage(BzImage::parse(bytes)?),
        })
    }

    /// Checks that the kernel can be entered on this machine, in this region.
    pub fn verify(self, conditions: &EntryConditions) -> Result<Verified<Self>, VerifyError> {
        either!(self, kernel => kernel.verify(conditions).map(|_| ()))?;
        Ok(Verified::new(self))
    }
}

kernel_in_a_format!(Kernel: BzImage Vmlinux);

impl BootProtocol for Kernel<'_> {
    fn put_setup_header(&self, page: &mut [u8]) {
        either!(self, kernel => kernel.put_setup_header(page))
    }

    fn supports_5level(&self) -> bool {
        either!(self, kernel => kernel.supports_5level())
    }

    fn command_line_max(&self) -> u32 {
        either!(self, kernel => kernel.command_line_max())
    }

    fn initrd_max(&self) -> Option<u64> {
        either!(self, kernel => kernel.initrd_max())
    }
}
