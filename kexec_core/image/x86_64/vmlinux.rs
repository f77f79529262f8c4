// SPDX-License-Identifier: GPL-2.0

//! The uncompressed x86_64 kernel (vmlinux), entered at `startup_64` as a bzImage enters it after
//! it has decompressed it.

use super::{
    bzimage::BzImage,
    payload::Parameters,
    protocol::BootProtocol,
    setup_header::{
        BOOT_FLAG,
        BOOT_FLAG_MAGIC,
        CMDLINE_SIZE,
        HEADER,
        HEADER_END_MIN,
        HEADER_MAGIC,
        INITRD_ADDR_MAX,
        INIT_SIZE,
        KERNEL_ALIGNMENT,
        LOADED_HIGH,
        LOADFLAGS,
        PREF_ADDRESS,
        RELOCATABLE_KERNEL,
        SETUP_SECTS,
        VERSION,
        XLF_CAN_BE_LOADED_ABOVE_4G,
        XLF_KERNEL_64,
        XLOADFLAGS, //
    },
    verify::{
        EntryConditions,
        VerifyError,
        FOUR_GIB, //
    }, //
};
use crate::{
    image::{
        elf_kernel::{
            ElfKernel,
            ElfKernelError, //
        },
        fits,
        KernelImage,
        Piece,
        Verified, //
    },
    types::{
        bytes::write,
        elf,
        ranges::Range, //
    }, //
};

/// The alignment of the load address. The kernel maps itself with pages of this size, and stops if
/// it is loaded elsewhere.
pub const ALIGNMENT: u64 = 2 << 20;
/// The longest command line of an x86 kernel, without the NUL, where no setup header tells.
pub const COMMAND_LINE_MAX: u32 = 2047;
/// The protocol that boot_params are filled by where no setup header tells: 2.15.
const PROTOCOL_VERSION: u16 = 0x020f;

/// A vmlinux with headers that were checked.
#[derive(Clone, Copy, Debug)]
pub struct Vmlinux<'a> {
    elf: ElfKernel<'a>,
    bzimage: Option<BzImage<'a>>,
    no5lvl: bool,
}

impl<'a> Vmlinux<'a> {
    /// Reads the headers of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ElfKernelError> {
        Ok(Self {
            elf: ElfKernel::parse(bytes, elf::Architecture::X86_64)?,
            bzimage: None,
            no5lvl: false,
        })
    }

    /// Reads the headers of the vmlinux that a bzImage's payload decompresses to. The bzImage's
    /// setup header holds for it, and so do the parameters that the bzImage's code would have read.
    pub fn from_bzimage(
        bzimage: BzImage<'a>,
        bytes: &'a [u8],
        parameters: Parameters,
    ) -> Result<Self, ElfKernelError> {
        Ok(Self {
            bzimage: Some(bzimage),
            no5lvl: parameters.no5lvl,
            ..Self::parse(bytes)?
        })
    }

    /// The segments.
    pub fn elf(&self) -> &ElfKernel<'a> {
        &self.elf
    }

    /// Checks that the kernel can be entered on this machine, in this region.
    pub fn verify(self, conditions: &EntryConditions) -> Result<Verified<Self>, VerifyError> {
        let region = conditions.region;
        if let Some(bzimage) = &self.bzimage {
            bzimage.check_region(region)?;
        }
        // The mode is changed by code of 32 bits.
        if conditions.five_level_paging && !self.supports_5level() && region.end() > FOUR_GIB {
            return Err(VerifyError::FiveLevelAbove4G { region });
        }
        let start = self.elf.memory().start();
        if start % ALIGNMENT != 0 {
            return Err(VerifyError::Unaligned {
                start,
                alignment: ALIGNMENT,
            });
        }
        if !fits(&self, region) {
            return Err(VerifyError::TooBig {
                init_size: self.memory_len(),
                alignment: self.alignment(),
                limit: self.limit(),
                region,
            });
        }
        Ok(Verified::new(self))
    }
}

impl KernelImage for Vmlinux<'_> {
    fn piece(&self, index: usize) -> Option<Piece<'_>> {
        self.elf.piece(index)
    }

    fn memory_len(&self) -> u64 {
        self.elf.memory().len()
    }

    fn alignment(&self) -> u64 {
        let bzimage = self.bzimage.map(|bzimage| bzimage.alignment());
        bzimage.unwrap_or(ALIGNMENT).max(ALIGNMENT)
    }

    fn limit(&self) -> Range {
        match &self.bzimage {
            Some(bzimage) => bzimage.limit(),
            // Below the address that it was linked to, it would overwrite memory of firmware.
            None => Range::new(self.elf.memory().start(), u64::MAX).unwrap_or_default(),
        }
    }

    fn entry_offset(&self) -> u64 {
        self.elf.entry_offset()
    }
}

impl BootProtocol for Vmlinux<'_> {
    fn put_setup_header(&self, page: &mut [u8]) {
        if let Some(bzimage) = &self.bzimage {
            return bzimage.put_setup_header(page);
        }
        let memory_len = u32::try_from(self.memory_len()).unwrap_or(u32::MAX);
        let flags = XLF_KERNEL_64 | XLF_CAN_BE_LOADED_ABOVE_4G;
        write(page, BOOT_FLAG, &BOOT_FLAG_MAGIC.to_le_bytes());
        write(page, HEADER, &HEADER_MAGIC.to_le_bytes());
        write(page, VERSION, &PROTOCOL_VERSION.to_le_bytes());
        write(page, LOADFLAGS, &[LOADED_HIGH]);
        write(page, INITRD_ADDR_MAX, &u32::MAX.to_le_bytes());
        write(page, KERNEL_ALIGNMENT, &(ALIGNMENT as u32).to_le_bytes());
        write(page, RELOCATABLE_KERNEL, &[1]);
        write(page, XLOADFLAGS, &flags.to_le_bytes());
        write(page, CMDLINE_SIZE, &COMMAND_LINE_MAX.to_le_bytes());
        write(page, PREF_ADDRESS, &self.elf.memory().start().to_le_bytes());
        write(page, INIT_SIZE, &memory_len.to_le_bytes());
    }

    /// A bzImage changes the mode before it decompresses the kernel. The kernel itself uses the
    /// mode that it is entered with, if it was built for both.
    fn supports_5level(&self) -> bool {
        !self.no5lvl && self.bzimage.is_some_and(|bzimage| bzimage.uses_5level())
    }

    fn command_line_max(&self) -> u32 {
        self.bzimage
            .map_or(COMMAND_LINE_MAX, |bzimage| bzimage.command_line_max())
    }

    fn initrd_max(&self) -> Option<u64> {
        self.bzimage.and_then(|bzimage| bzimage.initrd_max())
    }
}

const _: () = {
    // The fields above are those of the header that `HEADER_END_MIN` ends.
    assert!(SETUP_SECTS < BOOT_FLAG && INIT_SIZE + 4 <= HEADER_END_MIN);
    assert!(ALIGNMENT <= u32::MAX as u64);
};
