// SPDX-License-Identifier: GPL-2.0

//! The zero page (`struct boot_params`), which a kernel is entered with.
//!
//! Offsets are those of `Documentation/arch/x86/zero-page.rst`; the setup header lies in it at the
//! offsets that it has in the file, so its fields' offsets are in [`crate::image::x86_64::setup_header`].

use core::fmt;

use crate::{
    image::{
        x86_64::{
            protocol::BootProtocol,
            setup_header, //
        },
        Verified, //
    },
    types::{
        bytes::{
            read_u32,
            read_u64,
            read_u8,
            write, //
        },
        errno::Errno,
        ranges::{
            CapacityError,
            Range, //
        }, //
    }, //
};

/// Length of the structure.
pub const BOOT_PARAMS_LEN: usize = 4096;
/// Length of `struct screen_info`.
pub const SCREEN_INFO_LEN: usize = 64;
/// Length of one entry of the memory map: two 64-bit numbers and a 32-bit one.
pub const E820_ENTRY_LEN: usize = 20;

/// Most entries that the memory map has room for.
pub const E820_ENTRIES_MAX: usize = 128;

/// `screen_info`: the text console or the frame buffer.
pub const SCREEN_INFO: usize = 0x000;
/// `screen_info.ext_mem_k`: extended memory in KiB, as a BIOS call told it.
pub const SCREEN_INFO_EXT_MEM_K: usize = 0x002;
/// `acpi_rsdp_addr`: physical address of the ACPI root pointer.
pub const ACPI_RSDP_ADDR: usize = 0x070;
/// `ext_ramdisk_image`: upper half of the initrd's address.
pub const EXT_RAMDISK_IMAGE: usize = 0x0c0;
/// `ext_ramdisk_size`: upper half of the initrd's length.
pub const EXT_RAMDISK_SIZE: usize = 0x0c4;
/// `ext_cmd_line_ptr`: upper half of the command line's address.
pub const EXT_CMD_LINE_PTR: usize = 0x0c8;
/// `eddbuf_entries`: the number of disks that [`EDDBUF`] describes.
pub const EDDBUF_ENTRIES: usize = 0x1e9;
/// `edd_mbr_sig_buf_entries`: the number of disks in [`EDD_MBR_SIG_BUFFER`].
pub const EDD_MBR_SIG_BUF_ENTRIES: usize = 0x1ea;
/// `secure_boot`: whether Secure Boot is on, as the kernel's `enum efi_secureboot_mode`.
pub const SECURE_BOOT: usize = 0x1ec;
/// `edd_mbr_sig_buffer`: the signatures in the boot sectors of disks.
pub const EDD_MBR_SIG_BUFFER: usize = 0x290;
/// Length of that buffer.
pub const EDD_MBR_SIG_BUFFER_LEN: usize = 16 * 4;
/// `eddbuf`: the BIOS's description of disks (Enhanced Disk Drive services).
pub const EDDBUF: usize = 0xd00;
/// Length of that buffer.
pub const EDDBUF_LEN: usize = 6 * 82;
/// `boot_params.efi_info` (`Documentation/arch/x86/zero-page.rst`; fields in the kernel's
/// asm/bootparam.h).
pub const EFI_INFO: usize = 0x1c0;
/// Length of that structure.
pub const EFI_INFO_LEN: usize = 32;
/// `e820_entries`: the number of entries of the memory map.
pub const E820_ENTRIES: usize = 0x1e8;
/// `sentinel`: 0 if the loader has cleared the fields that it does not fill.
pub const SENTINEL: usize = 0x1ef;
/// `hdr`: the setup header.
pub const SETUP_HEADER: usize = 0x1f1;
/// `e820_table`: the memory map.
pub const E820_TABLE: usize = 0x2d0;

/// `hdr.type_of_loader`: the loader of the kernel.
pub const TYPE_OF_LOADER: usize = 0x210;
/// `hdr.ramdisk_image`: lower half of the initrd's address.
pub const RAMDISK_IMAGE: usize = 0x218;
/// `hdr.ramdisk_size`: lower half of the initrd's length.
pub const RAMDISK_SIZE: usize = 0x21c;
/// `hdr.cmd_line_ptr`: lower half of the command line's address.
pub const CMD_LINE_PTR: usize = 0x228;
/// `hdr.hardware_subarch`: 0 for a PC.
pub const HARDWARE_SUBARCH: usize = 0x23c;
/// `hdr.setup_data`: physical address of a list of further data.
pub const SETUP_DATA: usize = 0x250;

/// The loader number that is assigned to kexec, in `type_of_loader`'s upper half.
pub const LOADER_KEXEC: u8 = 0x0d << 4;

const _: () = {
    assert!(SCREEN_INFO + SCREEN_INFO_LEN == 0x040);
    assert!(SETUP_HEADER == setup_header::SETUP_SECTS);
    assert!(setup_header::HEADER_END_MAX <= E820_TABLE);
    assert!(E820_TABLE + E820_ENTRIES_MAX * E820_ENTRY_LEN == 0xcd0);
    assert!(EDD_MBR_SIG_BUFFER == setup_header::HEADER_END_MAX);
    assert!(EDD_MBR_SIG_BUFFER + EDD_MBR_SIG_BUFFER_LEN == E820_TABLE);
    assert!(EDDBUF + EDDBUF_LEN == 0xeec && 0xeec <= BOOT_PARAMS_LEN);
    assert!(EFI_INFO + EFI_INFO_LEN == 0x1e0);
    // The count of entries is a byte.
    assert!(E820_ENTRIES_MAX <= 0xff);
};

/// The types of memory, with their numbers in ACPI (section "System Address Map Interfaces").
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryType {
    /// Memory that can be used.
    Ram = 1,
    /// Memory that must not be used.
    Reserved = 2,
    /// ACPI tables.
    Acpi = 3,
    /// Memory that firmware uses across sleep states.
    Nvs = 4,
}

/// Why boot_params cannot describe the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootParamsError {
    /// The kernel would not find the initrd there.
    InitrdAbove4G {
        /// The memory of the initrd.
        initrd: Range,
        /// The highest address that the kernel reads it from.
        max: u64,
    },
}

impl BootParamsError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::InitrdAbove4G { .. } => Errno::AddrNotAvail,
        }
    }
}

impl fmt::Display for BootParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InitrdAbove4G { initrd, max } => write!(
                f,
                "the initrd would lie at {initrd}, but the kernel reads it up to {max:#x} only \
                 (XLF_CAN_BE_LOADED_ABOVE_4G is not set)"
            ),
        }
    }
}

/// Builds boot_params in a page.
#[derive(Debug)]
pub struct BootParams<'a> {
    page: &'a mut [u8; BOOT_PARAMS_LEN],
    initrd_max: Option<u64>,
}

impl<'a> BootParams<'a> {
    /// Clears `page` and takes the image's setup header over into it.
    pub fn new<T: BootProtocol>(page: &'a mut [u8; BOOT_PARAMS_LEN], image: &Verified<T>) -> Self {
        page.fill(0);
        image.put_setup_header(page);

        // Fields that the loader fills must not come from the file.
        write(page, TYPE_OF_LOADER, &[LOADER_KEXEC]);
        write(page, setup_header::LOADFLAGS, &[setup_header::LOADED_HIGH]);
        write(page, RAMDISK_IMAGE, &[0; 4]);
        write(page, RAMDISK_SIZE, &[0; 4]);
        write(page, CMD_LINE_PTR, &[0; 4]);
        write(page, HARDWARE_SUBARCH, &[0; 4]);
        write(page, SETUP_DATA, &[0; 8]);

        Self {
            page,
            initrd_max: image.initrd_max(),
        }
    }

    /// Writes a 64-bit number whose halves lie apart.
    fn put_halves(&mut self, low_offset: usize, high_offset: usize, value: u64) {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        write(self.page, low_offset, &[a, b, c, d]);
        write(self.page, high_offset, &[e, f, g, h]);
    }

    /// Sets the physical address of the command line.
    pub fn set_command_line(&mut self, address: u64) {
        self.put_halves(CMD_LINE_PTR, EXT_CMD_LINE_PTR, address);
    }

    /// Sets the memory of the initrd. Its length is that of the file, not rounded up.
    pub fn set_initrd(&mut self, initrd: Range) -> Result<(), BootParamsError> {
        if let Some(max) = self.initrd_max {
            if initrd.end() > max.saturating_add(1) {
                return Err(BootParamsError::InitrdAbove4G { initrd, max });
            }
        }
        self.put_halves(RAMDISK_IMAGE, EXT_RAMDISK_IMAGE, initrd.start());
        self.put_halves(RAMDISK_SIZE, EXT_RAMDISK_SIZE, initrd.len());
        Ok(())
    }

    /// Takes over the running kernel's description of the machine: its screen, its disks, the
    /// address of ACPI, and the kind of PC. The state of Secure Boot is taken over too, so that the
    /// next kernel locks itself down as this one did.
    pub fn take_over(&mut self, running: &[u8; BOOT_PARAMS_LEN]) {
        for (offset, len) in [
            (SCREEN_INFO, SCREEN_INFO_LEN),
            (ACPI_RSDP_ADDR, 8),
            (HARDWARE_SUBARCH, 4),
            (SECURE_BOOT, 1),
            (EDDBUF_ENTRIES, 1),
            (EDDBUF, EDDBUF_LEN),
            (EDD_MBR_SIG_BUF_ENTRIES, 1),
            (EDD_MBR_SIG_BUFFER, EDD_MBR_SIG_BUFFER_LEN),
        ] {
            let field = running.get(offset..).and_then(|field| field.get(..len));
            write(self.page, offset, field.unwrap_or_default());
        }
        // This counts all of the machine's memory, and the capture kernel may use only a part of
        // it.
        write(self.page, SCREEN_INFO_EXT_MEM_K, &[0; 2]);
    }

    /// Takes over the memory map that the running kernel was given by firmware or its boot loader: a kernel
    /// that a reboot enters has the same memory. What the command line has made of it does not count. Where
    /// there are more entries than the page has room for, it is a part of them, as it is for the kernel's own
    /// kexec.
    pub fn take_over_memory(&mut self, running: &[u8; BOOT_PARAMS_LEN]) {
        for (offset, len) in [
            (E820_ENTRIES, 1),
            (E820_TABLE, E820_ENTRIES_MAX * E820_ENTRY_LEN),
        ] {
            let field = running.get(offset..).and_then(|field| field.get(..len));
            write(self.page, offset, field.unwrap_or_default());
        }
    }

    /// Sets the physical address of the ACPI root pointer, unless the running kernel was told
    /// another one. 0 stands for an unknown address.
    pub fn set_acpi_rsdp_if_unknown(&mut self, address: u64) {
        if read_u64(self.page, ACPI_RSDP_ADDR) == Some(0) {
            write(self.page, ACPI_RSDP_ADDR, &address.to_le_bytes());
        }
    }

    /// Sets the addresses of the firmware's tables and of its memory map.
    pub fn set_efi_info(&mut self, info: &[u8; EFI_INFO_LEN]) {
        write(self.page, EFI_INFO, info);
    }

    /// Physical address of the first node of the list of further data, or 0.
    pub(super) fn setup_data(&self) -> u64 {
        read_u64(self.page, SETUP_DATA).unwrap_or_default()
    }

    /// Sets the physical address of the first node of the list of further data.
    pub(super) fn set_setup_data(&mut self, address: u64) {
        write(self.page, SETUP_DATA, &address.to_le_bytes());
    }

    /// Adds an entry to the memory map.
    pub(super) fn push_memory(
        &mut self,
        range: Range,
        memory_type: MemoryType,
    ) -> Result<(), CapacityError> {
        if range.is_empty() {
            return Ok(());
        }
        let full = CapacityError {
            capacity: E820_ENTRIES_MAX,
        };
        let count = self.page.get(E820_ENTRIES).copied().unwrap_or_default();
        let entry = self
            .page
            .get_mut(E820_TABLE..E820_TABLE + E820_ENTRIES_MAX * E820_ENTRY_LEN)
            .and_then(|table| table.chunks_exact_mut(E820_ENTRY_LEN).nth(count.into()))
            .ok_or(full)?;
        write(entry, 0, &range.start().to_le_bytes());
        write(entry, 8, &range.len().to_le_bytes());
        write(entry, 16, &(memory_type as u32).to_le_bytes());
        write(self.page, E820_ENTRIES, &[count.saturating_add(1)]);
        Ok(())
    }
}

/// The memory that a zero page calls RAM, as the boot loader or firmware has found it. Where there are more
/// entries than the page has room for, it is a part of that.
pub fn firmware_ram(page: &[u8]) -> impl Iterator<Item = Range> + '_ {
    let count = usize::from(read_u8(page, E820_ENTRIES).unwrap_or_default());
    let table = page.get(E820_TABLE..).unwrap_or_default();
    let entries = table.chunks_exact(E820_ENTRY_LEN);
    let entries = entries.take(count.min(E820_ENTRIES_MAX));
    entries.filter_map(|entry| {
        let is_ram = read_u32(entry, 16)? == MemoryType::Ram as u32;
        let range = Range::from_start_len(read_u64(entry, 0)?, read_u64(entry, 8)?)?;
        is_ram.then_some(range)
    })
}

/// Whether a zero page says that Secure Boot is on. None if the kernel's EFI stub did not ask for
/// it (`efi_secureboot_mode_unset`).
pub fn secure_boot(page: &[u8]) -> Option<bool> {
    const UNSET: u8 = 0;
    const ENABLED: u8 = 3;
    match read_u8(page, SECURE_BOOT)? {
        UNSET => None,
        mode => Some(mode == ENABLED),
    }
}
