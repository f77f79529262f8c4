// SPDX-License-Identifier: GPL-2.0

//! A kernel for x86_64, in either of the two formats that are loaded as they are.

use super::{
    bzimage::{
        BzImage,
        BzImageError, //
    },
    payload::Parameters,
    protocol::BootProtocol,
    verify::{
        EntryConditions,
        VerifyError, //
    },
    vmlinux::Vmlinux, //
};
use crate::{
    image::{
        elf_kernel::ElfKernelError,
        format::{
            Format,
            FormatError, //
        },
        kernel_in_a_format,
        unpack::Inner,
        Verified, //
    },
    types::errno::wrap_errors,
    uapi::Decompression, //
};

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

    /// Takes the kernel that was found in a bzImage in the bzImage's place, if it can be entered on
    /// this machine, in this region; and says whether it was taken.
    ///
    /// A bzImage's `init_size` counts the decompressed kernel too. So where it is true the kernel has
    /// room wherever the bzImage has.
    pub fn or_inner(
        self,
        inner: Inner<'a>,
        parameters: Parameters,
        conditions: &EntryConditions,
    ) -> (Self, Decompression) {
        let Self::BzImage(bzimage) = self else {
            return (self, Decompression::None);
        };
        let take = || {
            let bytes = match inner {
                Inner::None => return Err(Decompression::NoPayload),
                Inner::Compressed(reason) => return Err(reason),
                Inner::Decompressed(_) if parameters.mem_encrypt => {
                    return Err(Decompression::MemoryEncryption)
                }
                Inner::Decompressed(bytes) => bytes,
            };
            let kernel = Vmlinux::from_bzimage(bzimage, bytes, parameters);
            let kernel = kernel.map_err(|_| Decompression::NotElf)?;
            match kernel.verify(conditions) {
                Ok(_) => Ok(kernel),
                Err(VerifyError::FiveLevelPaging | VerifyError::FiveLevelAbove4G { .. }) => {
                    Err(Decompression::Paging)
                }
                Err(VerifyError::Unaligned { .. }) => Err(Decompression::NotElf),
                Err(VerifyError::Above4G { .. } | VerifyError::TooBig { .. }) => {
                    Err(Decompression::NoRoom)
                }
            }
        };
        match take() {
            Ok(kernel) => (Self::Vmlinux(kernel), Decompression::AtLoad),
            Err(reason) => (self, reason),
        }
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
