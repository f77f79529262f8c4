// SPDX-License-Identifier: GPL-2.0

//! The bzImage format, as `Documentation/arch/x86/boot.rst` in the kernel's tree defines it.
//!
//! A bzImage is a boot sector and real-mode code, which a 64-bit loader skips, followed by the
//! protected-mode code with the compressed kernel in it. The setup header in between says how
//! both are to be used.

use core::fmt;

use super::protocol::BootProtocol;
use crate::image::{fits, KernelImage, Piece, Verified};
use crate::types::bytes::{read_u16, read_u32, read_u64, read_u8, to_u64, to_usize, write};
use crate::types::errno::Errno;
use crate::types::ranges::{Range, PAGE_SIZE};
use crate::types::size::Size;

// Offsets in the file, from the sections "The Real-Mode Kernel Header" and "Details of Header
// Fields". The boot_params structure has the setup header at the same offsets.

/// Number of 512-byte sectors of real-mode code behind the boot sector; the header's first byte.
pub const SETUP_SECTS: usize = 0x1f1;
/// Length of the protected-mode code in 16-byte paragraphs.
pub const SYSSIZE: usize = 0x1f4;
/// [`BOOT_FLAG_MAGIC`].
pub const BOOT_FLAG: usize = 0x1fe;
/// A short jump over the header. Its displacement says where the header ends.
pub const JUMP: usize = 0x200;
/// [`HEADER_MAGIC`]; the jump's displacement counts from here.
pub const HEADER: usize = 0x202;
/// Version of the boot protocol.
pub const VERSION: usize = 0x206;
/// Where the version string is, less 0x200.
pub const KERNEL_VERSION: usize = 0x20e;
/// The `LOADED_` and other flags.
pub const LOADFLAGS: usize = 0x211;
/// Highest address that the initrd may occupy, for a kernel that cannot be loaded above 4 GiB.
pub const INITRD_ADDR_MAX: usize = 0x22c;
/// What the load address has to be a multiple of.
pub const KERNEL_ALIGNMENT: usize = 0x230;
/// Nonzero when the kernel can be loaded anywhere.
pub const RELOCATABLE_KERNEL: usize = 0x234;
/// The `XLF_` flags.
pub const XLOADFLAGS: usize = 0x236;
/// Longest command line, without the NUL.
pub const CMDLINE_SIZE: usize = 0x238;
/// Where the compressed kernel is, from the start of the protected-mode code.
pub const PAYLOAD_OFFSET: usize = 0x248;
/// Length of the compressed kernel.
pub const PAYLOAD_LENGTH: usize = 0x24c;
/// The address that the kernel prefers; below it, the kernel would move itself.
pub const PREF_ADDRESS: usize = 0x258;
/// Memory that the kernel needs before it reads its memory map.
pub const INIT_SIZE: usize = 0x260;
/// Behind the fields that protocol 2.12 has (`handover_offset` is its last).
pub const HEADER_END_MIN: usize = 0x268;
/// The boot_params field behind the setup header (section "Zero Page").
pub const HEADER_END_MAX: usize = 0x290;

/// The value at [`BOOT_FLAG`].
pub const BOOT_FLAG_MAGIC: u16 = 0xaa55;
/// The value at [`HEADER`].
pub const HEADER_MAGIC: u32 = u32::from_le_bytes(*b"HdrS");
/// Opcode of the short jump at [`JUMP`].
pub const SHORT_JUMP: u8 = 0xeb;
/// The oldest protocol with [`XLOADFLAGS`].
pub const VERSION_MIN: u16 = 0x020c;
/// Length of a sector, and of the boot sector.
pub const SECTOR_LEN: usize = 512;
/// What 0 in [`SETUP_SECTS`] stands for.
pub const SETUP_SECTS_DEFAULT: u8 = 4;
/// The unit of [`SYSSIZE`].
pub const PARAGRAPH_LEN: u64 = 16;

/// [`LOADFLAGS`]: the protected-mode code is not bound to the first 640 KiB.
pub const LOADED_HIGH: u8 = 1 << 0;
/// [`XLOADFLAGS`]: there is a 64-bit entry point.
pub const XLF_KERNEL_64: u16 = 1 << 0;
/// [`XLOADFLAGS`]: the kernel and all that it is given can lie above 4 GiB.
pub const XLF_CAN_BE_LOADED_ABOVE_4G: u16 = 1 << 1;
/// [`XLOADFLAGS`]: the kernel can be entered with 5-level paging switched on.
pub const XLF_5LEVEL: u16 = 1 << 5;
/// [`XLOADFLAGS`]: the kernel uses 5-level paging itself.
pub const XLF_5LEVEL_ENABLED: u16 = 1 << 6;

/// No kernel's [`CMDLINE_SIZE`] is larger; x86 kernels have 2047.
pub const COMMAND_LINE_MAX: u32 = 0xffff;

/// The 64-bit entry point, counted from the start of the protected-mode code (section "64-bit
/// Boot Protocol").
pub const ENTRY64_OFFSET: u64 = 0x200;

pub(super) const FOUR_GIB: u64 = 1 << 32;

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
        /// What is there instead.
        found: u16,
    },
    /// The setup header's signature is missing.
    Magic {
        /// What is there instead.
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
    /// The setup header's end is not where it can be.
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
    /// The longest command line is none, or longer than any kernel's.
    CommandLine {
        /// Its length.
        found: u32,
    },
    /// The compressed kernel is empty or leaves the protected-mode code.
    Payload {
        /// Its offset.
        offset: u32,
        /// Its length.
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

/// Why an image does not suit the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The kernel cannot be entered with 5-level paging.
    FiveLevelPaging,
    /// The kernel has to be entered with 4-level paging, and the region is not where the mode can be
    /// changed.
    FiveLevelAbove4G {
        /// The region.
        region: Range,
    },
    /// The kernel was linked to an address that no page starts at.
    Unaligned {
        /// The address.
        start: u64,
        /// What it has to be a multiple of.
        alignment: u64,
    },
    /// The region is partly above 4 GiB and the kernel cannot be there.
    Above4G {
        /// The region.
        region: Range,
    },
    /// The kernel does not fit into the region.
    TooBig {
        /// The memory that the kernel needs.
        init_size: u64,
        /// What its address has to be a multiple of.
        alignment: u64,
        /// Where it can lie.
        limit: Range,
        /// The region.
        region: Range,
    },
}

impl VerifyError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::TooBig { .. } => Errno::AddrNotAvail,
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FiveLevelPaging => write!(
                f,
                "this machine runs with 5-level paging, which the kernel cannot be entered with \
                 (XLF_5LEVEL is not set): use a newer capture kernel, or boot with no5lvl"
            ),
            Self::FiveLevelAbove4G { region } => write!(
                f,
                "this machine runs with 5-level paging, a vmlinux does not tell whether it can be \
                 entered with it, and the crash region {region} ends above 4 GiB, where the mode \
                 cannot be changed: give the bzImage, which tells, reserve below with crashkernel= \
                 without ,high, or boot with no5lvl"
            ),
            Self::Unaligned { start, alignment } => write!(
                f,
                "the kernel was linked to {start:#x}, but needs a multiple of {alignment:#x}: give \
                 the vmlinux as the kernel's build made it"
            ),
            Self::Above4G { region } => write!(
                f,
                "the crash region {region} ends above 4 GiB, where the kernel cannot be loaded \
                 (XLF_CAN_BE_LOADED_ABOVE_4G is not set): use a newer capture kernel, or reserve \
                 below with crashkernel= without ,high"
            ),
            Self::TooBig {
                init_size,
                alignment,
                limit,
                region,
            } => {
                write!(
                    f,
                    "the kernel needs {} at a multiple of {alignment:#x}",
                    Size(init_size)
                )?;
                if limit.start() > region.start() {
                    write!(f, " from {:#x} on", limit.start())?;
                }
                write!(
                    f,
                    ", but the crash region {region} has {}: reserve more with crashkernel=",
                    Size(region.len())
                )
            }
        }
    }
}

/// What of the running machine decides whether an image can be entered on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryConditions {
    /// Whether the processor has 5-level paging switched on (CR4.LA57).
    pub five_level_paging: bool,
    /// The region that was reserved for the capture kernel.
    pub region: Range,
}

/// A bzImage whose setup header makes sense.
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

        // First what tells a bzImage from anything else, then what it says of itself.
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

    /// What the load address has to be a multiple of.
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

    /// Checks that the kernel can run this high, whatever its length.
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
