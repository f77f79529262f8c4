// SPDX-License-Identifier: GPL-2.0

//! The tables that UEFI firmware leaves to a kernel, and their handover to the next kernel.
//!
//! A kernel tells firmware only once at which virtual addresses it is mapped. The next kernel has
//! to map firmware at the same addresses, so it gets the memory map that has them. The pointers in
//! the firmware's own tables were changed to these virtual addresses, so their physical addresses
//! are handed over separately.

use super::boot_params::{
    EFI_INFO,
    EFI_INFO_LEN, //
};
use crate::types::{
    bytes::{
        read_u32,
        read_u64,
        write, //
    },
    ranges::Range, //
};

// Offsets in `boot_params.efi_info`.
const LOADER_SIGNATURE: usize = 0;
const SYSTAB: usize = 4;
const MEMDESC_SIZE: usize = 8;
const MEMDESC_VERSION: usize = 12;
const MEMMAP: usize = 16;
const MEMMAP_SIZE: usize = 20;
const SYSTAB_HI: usize = 24;
const MEMMAP_HI: usize = 28;

/// `efi_loader_signature` where the firmware is a 64-bit one.
pub const LOADER_SIGNATURE_64: u32 = u32::from_le_bytes(*b"EL64");

/// Length of `EFI_SYSTEM_TABLE` on 64-bit machines (UEFI 2.10, 4.3).
pub const SYSTEM_TABLE_LEN: usize = 120;
/// `NumberOfTableEntries` in it.
const NUMBER_OF_TABLE_ENTRIES: usize = 104;
/// Length of `EFI_CONFIGURATION_TABLE`: a GUID and a pointer (UEFI 2.10, 4.6).
const CONFIGURATION_TABLE_LEN: u64 = 24;
/// The most configuration tables that are believed. Firmware has a few dozen.
const CONFIGURATION_TABLES_MAX: u64 = 1024;

/// Length of `struct efi_setup_data` (the kernel's asm/efi.h).
pub const SETUP_DATA_LEN: usize = 96;

// Offsets in it.
const FW_VENDOR: usize = 0;
const TABLES: usize = 16;
const SMBIOS: usize = 24;

const _: () = {
    assert!(MEMMAP_HI + 4 == EFI_INFO_LEN);
    // 8 reserved fields follow the last field.
    assert!(SMBIOS + 8 + 8 * 8 == SETUP_DATA_LEN);
    // The count and the pointer after it end the structure.
    assert!(NUMBER_OF_TABLE_ENTRIES + 2 * 8 == SYSTEM_TABLE_LEN);
};

/// The part of `efi_info` that holds for the next kernel as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EfiInfo {
    /// Physical address of the system table.
    pub system_table: u64,
    /// Version of the memory map's descriptors.
    pub descriptor_version: u32,
}

impl EfiInfo {
    /// Reads `efi_info` in the boot_params that the running kernel was started with. None if 64-bit
    /// firmware did not start that kernel.
    pub fn decode(boot_params: &[u8]) -> Option<Self> {
        let info = boot_params.get(EFI_INFO..EFI_INFO + EFI_INFO_LEN)?;
        let halves = |low, high| {
            let (low, high) = (read_u32(info, low)?, read_u32(info, high)?);
            Some(u64::from(high) << 32 | u64::from(low))
        };
        let started_by_firmware = read_u32(info, LOADER_SIGNATURE)? == LOADER_SIGNATURE_64
            && read_u32(info, MEMMAP_SIZE)? != 0;
        let system_table = halves(SYSTAB, SYSTAB_HI)?;
        let descriptor_version = read_u32(info, MEMDESC_VERSION)?;
        (started_by_firmware && system_table != 0).then_some(Self {
            system_table,
            descriptor_version,
        })
    }

    /// The memory of the system table.
    pub fn system_table_range(&self) -> Option<Range> {
        Range::from_start_len(self.system_table, SYSTEM_TABLE_LEN as u64)
    }

    /// Encodes `efi_info` for the next kernel. Its memory map lies at `memory_map` and has
    /// descriptors of `descriptor_len` bytes.
    pub fn encode(&self, memory_map: Range, descriptor_len: u32) -> [u8; EFI_INFO_LEN] {
        let mut info = [0; EFI_INFO_LEN];
        let low = |value: u64| value as u32;
        let high = |value: u64| (value >> 32) as u32;
        for (offset, field) in [
            (LOADER_SIGNATURE, LOADER_SIGNATURE_64),
            (SYSTAB, low(self.system_table)),
            (MEMDESC_SIZE, descriptor_len),
            (MEMDESC_VERSION, self.descriptor_version),
            (MEMMAP, low(memory_map.start())),
            (MEMMAP_SIZE, low(memory_map.len())),
            (SYSTAB_HI, high(self.system_table)),
            (MEMMAP_HI, high(memory_map.start())),
        ] {
            write(&mut info, offset, &field.to_le_bytes());
        }
        info
    }
}

/// The memory of the list of configuration tables. The system table has their number; `address` is
/// the list's physical address.
pub fn configuration_tables(system_table: &[u8], address: u64) -> Option<Range> {
    let count = read_u64(system_table, NUMBER_OF_TABLE_ENTRIES)?;
    if count > CONFIGURATION_TABLES_MAX {
        return None;
    }
    Range::from_start_len(address, count.checked_mul(CONFIGURATION_TABLE_LEN)?)
}

/// The firmware's pointers as physical addresses (`struct efi_setup_data`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupData {
    /// Physical address of the vendor's name.
    pub firmware_vendor: u64,
    /// Physical address of the list of configuration tables.
    pub configuration_tables: u64,
    /// Physical address of the 32-bit entry point of SMBIOS, or 0.
    pub smbios: u64,
}

impl SetupData {
    /// Encodes the structure as it is in memory.
    pub fn encode(&self) -> [u8; SETUP_DATA_LEN] {
        let mut data = [0; SETUP_DATA_LEN];
        for (offset, field) in [
            (FW_VENDOR, self.firmware_vendor),
            (TABLES, self.configuration_tables),
            (SMBIOS, self.smbios),
        ] {
            write(&mut data, offset, &field.to_le_bytes());
        }
        data
    }
}
