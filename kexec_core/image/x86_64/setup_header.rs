// SPDX-License-Identifier: GPL-2.0

//! The setup header of x86 kernels, as `Documentation/arch/x86/boot.rst` in the kernel's tree
//! defines it: where its fields are, and which values they have.

// Offsets in the file, from the sections "The Real-Mode Kernel Header" and "Details of Header
// Fields". The boot_params structure has the setup header at the same offsets.

/// Number of 512-byte sectors of real-mode code after the boot sector. This is the header's first
/// byte.
pub const SETUP_SECTS: usize = 0x1f1;
/// Length of the protected-mode code in 16-byte paragraphs.
pub const SYSSIZE: usize = 0x1f4;
/// [`BOOT_FLAG_MAGIC`].
pub const BOOT_FLAG: usize = 0x1fe;
/// A short jump over the header. Its displacement is the end of the header.
pub const JUMP: usize = 0x200;
/// [`HEADER_MAGIC`]; the jump's displacement counts from here.
pub const HEADER: usize = 0x202;
/// Version of the boot protocol.
pub const VERSION: usize = 0x206;
/// Offset of the version string, less 0x200.
pub const KERNEL_VERSION: usize = 0x20e;
/// The `LOADED_` and other flags.
pub const LOADFLAGS: usize = 0x211;
/// Highest address that the initrd may occupy, for a kernel that cannot be loaded above 4 GiB.
pub const INITRD_ADDR_MAX: usize = 0x22c;
/// Alignment of the load address.
pub const KERNEL_ALIGNMENT: usize = 0x230;
/// Nonzero when the kernel can be loaded anywhere.
pub const RELOCATABLE_KERNEL: usize = 0x234;
/// The `XLF_` flags.
pub const XLOADFLAGS: usize = 0x236;
/// Longest command line, without the NUL.
pub const CMDLINE_SIZE: usize = 0x238;
/// Offset of the compressed kernel, from the start of the protected-mode code.
pub const PAYLOAD_OFFSET: usize = 0x248;
/// Length of the compressed kernel.
pub const PAYLOAD_LENGTH: usize = 0x24c;
/// The address that the kernel prefers; below it, the kernel would move itself.
pub const PREF_ADDRESS: usize = 0x258;
/// Memory that the kernel needs before it reads its memory map.
pub const INIT_SIZE: usize = 0x260;
/// The end of the fields of protocol 2.12 (`handover_offset` is its last).
pub const HEADER_END_MIN: usize = 0x268;
/// The boot_params field after the setup header (section "Zero Page").
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
/// The number of sectors that 0 in [`SETUP_SECTS`] stands for.
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
