// SPDX-License-Identifier: GPL-2.0

//! The bzImage format, as `Documentation/arch/x86/boot.rst` in the kernel's tree defines it.
//!
//! A bzImage is a boot sector and real-mode code, which a 64-bit loader skips, followed by the
//! protected-mode code with the compressed kernel in it. The setup header in between says how
//! both are to be used.

mod error;

use super::{
    protocol::BootProtocol,
    setup_header::{
        BOOT_FLAG,
        BOOT_FLAG_MAGIC,
        CMDLINE_SIZE,
        COMMAND_LINE_MAX,
        ENTRY64_OFFSET,
        HEADER,
        HEADER_END_MAX,
        HEADER_END_MIN,
        HEADER_MAGIC,
        INITRD_ADDR_MAX,
        INIT_SIZE,
        JUMP,
        KERNEL_ALIGNMENT,
        KERNEL_VERSION,
        LOADED_HIGH,
        LOADFLAGS,
        PARAGRAPH_LEN,
        PAYLOAD_LENGTH,
        PAYLOAD_OFFSET,
        PREF_ADDRESS,
        RELOCATABLE_KERNEL,
        SECTOR_LEN,
        SETUP_SECTS,
        SETUP_SECTS_DEFAULT,
        SHORT_JUMP,
        SYSSIZE,
        VERSION,
        VERSION_MIN,
        XLF_5LEVEL,
        XLF_5LEVEL_ENABLED,
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
        fits,
        KernelImage,
        Piece,
        Verified, //
    },
    types::{
        bytes::{
            read_u16,
            read_u32,
            read_u64,
            read_u8,
            to_u64,
            to_usize,
            write, //
        },
        ranges::{
            Range,
            PAGE_SIZE, //
        }, //
    }, //
};

pub use error::BzImageError;

/// A bzImage with a setup header that was checked.
#[derive(Clone, Copy, Debug)]
pub struct BzImage<'a> {
    bytes: &'a [u8],
    setup_header: &'a [u8],
    protected_mode: &'a [u8],
    payload: Option<&'a [u8]>,
    version: u16,
    xloadflags: u16,
    initrd_addr_max: u32,
    kernel_alignment: u32,
    cmdline_size: u32,
    pref_address: u64,
    init_size: u32,
}

impl<'a> BzImage<'a> {
    /// Reads the setup header of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BzImageError> {
        let too_short = BzImageError::TooShort { len: bytes.len() };

        // The magic numbers come first, so that another file is not called a damaged bzImage.
        let found = read_u16(bytes, BOOT_FLAG).ok_or(too_short)?;
        if found != BOOT_FLAG_MAGIC {
            return Err(BzImageError::BootFlag { found });
        }
        let found = read_u32(bytes, HEADER).ok_or(too_short)?;
        if found != HEADER_MAGIC {
            return Err(BzImageError::Magic { found });
        }
        let version = read_u16(bytes, VERSION).ok_or(too_short)?;
        if version < VERSION_MIN {
            return Err(BzImageError::Version { found: version });
        }
        let setup_header = Self::find_setup_header(bytes)?;

        if read_u8(bytes, LOADFLAGS).ok_or(too_short)? & LOADED_HIGH == 0 {
            return Err(BzImageError::NotLoadedHigh);
        }
        let xloadflags = read_u16(bytes, XLOADFLAGS).ok_or(too_short)?;
        if xloadflags & XLF_KERNEL_64 == 0 {
            return Err(BzImageError::NotKernel64);
        }
        let protected_mode = Self::find_protected_mode(bytes)?;
        if read_u8(bytes, RELOCATABLE_KERNEL).ok_or(too_short)? == 0 {
            return Err(BzImageError::NotRelocatable);
        }
        let kernel_alignment = read_u32(bytes, KERNEL_ALIGNMENT).ok_or(too_short)?;
        if !kernel_alignment.is_power_of_two() {
            return Err(BzImageError::Alignment {
                found: kernel_alignment,
            });
        }
        let init_size = read_u32(bytes, INIT_SIZE).ok_or(too_short)?;
        if to_usize(init_size.into()) < protected_mode.len() {
            return Err(BzImageError::InitSize {
                init_size,
                len: protected_mode.len(),
            });
        }
        let cmdline_size = read_u32(bytes, CMDLINE_SIZE).ok_or(too_short)?;
        if !(1..=COMMAND_LINE_MAX).contains(&cmdline_size) {
            return Err(BzImageError::CommandLine {
                found: cmdline_size,
            });
        }

        Ok(Self {
            bytes,
            setup_header,
            protected_mode,
            payload: Self::find_payload(bytes, protected_mode)?,
            version,
            xloadflags,
            initrd_addr_max: read_u32(bytes, INITRD_ADDR_MAX).ok_or(too_short)?,
            kernel_alignment,
            cmdline_size,
            pref_address: read_u64(bytes, PREF_ADDRESS).ok_or(too_short)?,
            init_size,
        })
    }

    fn find_setup_header(bytes: &'a [u8]) -> Result<&'a [u8], BzImageError> {
        let too_short = BzImageError::TooShort { len: bytes.len() };

        let opcode = read_u8(bytes, JUMP).ok_or(too_short)?;
        let displacement = read_u8(bytes, JUMP + 1).ok_or(too_short)?;
        let end = HEADER + usize::from(displacement);
        if opcode != SHORT_JUMP || !(HEADER_END_MIN..=HEADER_END_MAX).contains(&end) {
            return Err(BzImageError::HeaderEnd { found: end });
        }
        bytes.get(SETUP_SECTS..end).ok_or(too_short)
    }

    fn find_protected_mode(bytes: &'a [u8]) -> Result<&'a [u8], BzImageError> {
        let too_short = BzImageError::TooShort { len: bytes.len() };

        let sectors = match read_u8(bytes, SETUP_SECTS).ok_or(too_short)? {
            0 => SETUP_SECTS_DEFAULT,
            sectors => sectors,
        };
        let paragraphs = read_u32(bytes, SYSSIZE).ok_or(too_short)?;
        if paragraphs == 0 {
            return Err(BzImageError::Empty);
        }
        // At most 256 sectors and 2^32 paragraphs: the sum is far from overflowing.
        let start = (usize::from(sectors) + 1) * SECTOR_LEN;
        let expected = to_u64(start) + u64::from(paragraphs) * PARAGRAPH_LEN;
        bytes
            .get(start..to_usize(expected))
            .ok_or(BzImageError::Truncated {
                len: bytes.len(),
                expected,
            })
    }

    fn find_payload(
        bytes: &[u8],
        protected_mode: &'a [u8],
    ) -> Result<Option<&'a [u8]>, BzImageError> {
        let too_short = BzImageError::TooShort { len: bytes.len() };

        let offset = read_u32(bytes, PAYLOAD_OFFSET).ok_or(too_short)?;
        let payload_len = read_u32(bytes, PAYLOAD_LENGTH).ok_or(too_short)?;
        if offset == 0 {
            return Ok(None);
        }
        let end = u64::from(offset) + u64::from(payload_len);
        match protected_mode.get(to_usize(offset.into())..to_usize(end)) {
            Some(payload) if !payload.is_empty() => Ok(Some(payload)),
            _ => Err(BzImageError::Payload {
                offset,
                payload_len,
                len: protected_mode.len(),
            }),
        }
    }

    /// The setup header, from [`SETUP_SECTS`] to its end, as boot_params has it at this offset.
    pub fn setup_header(&self) -> &'a [u8] {
        self.setup_header
    }

    /// The part of the file that is copied to memory.
    pub fn protected_mode(&self) -> &'a [u8] {
        self.protected_mode
    }

    /// The compressed kernel within [`Self::protected_mode`], where the header names one.
    pub fn payload(&self) -> Option<&'a [u8]> {
        self.payload
    }

    /// Version of the boot protocol, `0x020f` for 2.15.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Memory that the kernel needs before it reads its memory map, in bytes.
    pub fn init_size(&self) -> u64 {
        self.init_size.into()
    }

    /// The alignment of the load address.
    pub fn kernel_alignment(&self) -> u64 {
        self.kernel_alignment.into()
    }

    /// The lowest address at which the kernel stays where it was loaded.
    pub fn pref_address(&self) -> u64 {
        self.pref_address
    }

    /// Longest command line in bytes, without the NUL.
    pub fn cmdline_size(&self) -> u32 {
        self.cmdline_size
    }

    /// Highest address that the initrd may occupy, unless [`Self::can_be_loaded_above_4g`].
    pub fn initrd_addr_max(&self) -> u64 {
        self.initrd_addr_max.into()
    }

    /// Whether the kernel and all that it is given can lie above 4 GiB.
    pub fn can_be_loaded_above_4g(&self) -> bool {
        self.xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G != 0
    }

    /// Whether the kernel can be entered with 5-level paging switched on and keeps it.
    pub fn uses_5level(&self) -> bool {
        const BOTH: u16 = XLF_5LEVEL | XLF_5LEVEL_ENABLED;
        self.xloadflags & BOTH == BOTH
    }

    /// The release and how it was built, as `file` shows it, if the image has it.
    pub fn kernel_version(&self) -> Option<&'a str> {
        let pointer = usize::from(read_u16(self.bytes, KERNEL_VERSION)?);
        if pointer == 0 {
            return None;
        }
        // The string lies in the real-mode code, which ends where the protected-mode code starts.
        let setup_len = self.bytes.len().checked_sub(self.protected_mode.len())?;
        let text = self
            .bytes
            .get(..setup_len)?
            .get(pointer.checked_add(JUMP)?..)?;
        let len = text.iter().position(|byte| *byte == 0)?;
        core::str::from_utf8(text.get(..len)?).ok()
    }

    /// Checks that the kernel can run at addresses as high as the region's.
    pub(super) fn check_region(&self, region: Range) -> Result<(), VerifyError> {
        if region.end() > FOUR_GIB && !self.can_be_loaded_above_4g() {
            return Err(VerifyError::Above4G { region });
        }
        Ok(())
    }

    /// Checks that the image can be entered on this machine, in this region.
    pub fn verify(self, conditions: &EntryConditions) -> Result<Verified<Self>, VerifyError> {
        let region = conditions.region;
        if conditions.five_level_paging && !self.supports_5level() {
            return Err(VerifyError::FiveLevelPaging);
        }
        self.check_region(region)?;
        if !fits(&self, region) {
            return Err(VerifyError::TooBig {
                init_size: self.init_size(),
                alignment: self.alignment(),
                limit: self.limit(),
                region,
            });
        }
        Ok(Verified::new(self))
    }
}

impl KernelImage for BzImage<'_> {
    fn piece(&self, index: usize) -> Option<Piece<'_>> {
        (index == 0).then_some(Piece {
            offset: 0,
            bytes: self.protected_mode,
        })
    }

    fn memory_len(&self) -> u64 {
        self.init_size()
    }

    fn alignment(&self) -> u64 {
        self.kernel_alignment().max(PAGE_SIZE)
    }

    fn limit(&self) -> Range {
        let end = match self.can_be_loaded_above_4g() {
            true => u64::MAX,
            false => FOUR_GIB,
        };
        // Below `pref_address` it would move itself away.
        Range::new(self.pref_address, end).unwrap_or_default()
    }

    fn entry_offset(&self) -> u64 {
        ENTRY64_OFFSET
    }
}

impl BootProtocol for BzImage<'_> {
    fn put_setup_header(&self, page: &mut [u8]) {
        write(page, SETUP_SECTS, self.setup_header);
    }

    fn supports_5level(&self) -> bool {
        self.xloadflags & XLF_5LEVEL != 0
    }

    fn command_line_max(&self) -> u32 {
        self.cmdline_size
    }

    fn initrd_max(&self) -> Option<u64> {
        match self.can_be_loaded_above_4g() {
            true => None,
            false => Some(self.initrd_addr_max()),
        }
    }
}
