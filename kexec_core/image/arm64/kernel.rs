// SPDX-License-Identifier: GPL-2.0

//! A kernel for arm64, in either of the two formats that are loaded as they are.

use core::ops::Deref;

use super::{
    arm64_image::Image,
    header::{
        ImageError,
        ImageHeader, //
    },
    verify::{
        verify,
        EntryConditions,
        VerifyError, //
    },
    vmlinux::{
        Vmlinux,
        VmlinuxError, //
    }, //
};
use crate::{
    image::{
        format::{
            Format,
            FormatError, //
        },
        kernel_in_a_format,
        Verified, //
    },
    types::errno::wrap_errors, //
};

wrap_errors! {
    /// Why a file is not an arm64 kernel that can be loaded.
    pub enum KernelError {
        /// The file has another format.
        Format(FormatError),
        /// The Image is malformed.
        Image(ImageError),
        /// The ELF file is malformed.
        Vmlinux(VmlinuxError),
    }
}

/// A kernel with headers that were checked.
#[derive(Clone, Copy, Debug)]
pub enum Kernel<'a> {
    /// An Image.
    Image(Image<'a>),
    /// An ELF file.
    Vmlinux(Vmlinux<'a>),
}

impl<'a> Kernel<'a> {
    /// Reads the headers of the file with these bytes. Compressed files and unified kernel images
    /// have to be unpacked before.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, KernelError> {
        Ok(match Format::detect(bytes)? {
            Format::Elf => Self::Vmlinux(Vmlinux::parse(bytes)?),
            Format::BzImage => {
                return Err(FormatError::OtherKernel {
                    what: "bzImage, which is for x86",
                }
                .into())
            }
            _ => Self::Image(Image::parse(bytes)?),
        })
    }

    /// Checks that the kernel can be entered on this machine, in this region.
    pub fn verify(self, conditions: &EntryConditions) -> Result<Verified<Self>, VerifyError> {
        let header: ImageHeader = *self;
        verify(&header, self, conditions)
    }
}

impl Deref for Kernel<'_> {
    type Target = ImageHeader;

    fn deref(&self) -> &ImageHeader {
        match self {
            Self::Image(image) => image,
            Self::Vmlinux(vmlinux) => vmlinux,
        }
    }
}

kernel_in_a_format!(Kernel: Image Vmlinux);
