// SPDX-License-Identifier: GPL-2.0

//! The tables and services of UEFI firmware, handed over to the next kernel.

use super::kernels_efi::{
    self,
    KernelsServices, //
};
use crate::{
    compat::prelude::*,
    sys::{
        file::Mount,
        physical::Mapping, //
    }, //
};
use core::ffi::CStr;
use kernel::alloc::AllocError;
use kexec_core::{
    handover::x86_64::{
        boot_params::BootParams,
        efi::{
            self,
            EfiInfo,
            SetupData,
            SYSTEM_TABLE_LEN, //
        },
        setup_data::{
            SetupDataType,
            Tail, //
        }, //
    },
    types::ranges::Range, //
};

/// The firmware's tables, and its services where the running kernel uses them.
pub(super) struct Firmware {
    acpi_rsdp: u64,
    services: Option<Services>,
}

/// What a kernel needs to call services that another one has mapped.
struct Services {
    info: EfiInfo,
    setup_data: SetupData,
    memory_map: KVec<u8>,
    descriptor_len: u32,
    system_table: Range,
    configuration_tables: Range,
}

impl Firmware {
    /// Reads what the firmware gave, as far as sysfs and the running kernel's `boot_params` are at hand.
    pub(super) fn read(
        sysfs: Option<&Mount>,
        boot_params: Option<&[u8]>,
    ) -> Result<Self, AllocError> {
        let view = kernels_efi::read();
        Ok(Self {
            acpi_rsdp: view.acpi_rsdp,
            services: match (sysfs, boot_params.and_then(EfiInfo::decode), &view.services) {
                (Some(sysfs), Some(info), Some(view)) => Services::read(sysfs, info, view)?,
                _ => None,
            },
        })
    }

    /// Where the tables are that lead to all others.
    pub(super) fn tables(&self) -> impl Iterator<Item = Range> + '_ {
        let services = self.services.iter();
        services.flat_map(|services| [services.system_table, services.configuration_tables])
    }

    /// Length of the memory map that is handed over, if one is.
    pub(super) fn memory_map_len(&self) -> Option<usize> {
        self.services
            .as_ref()
            .map(|services| services.memory_map.len())
    }

    /// Tells the next kernel.
    pub(super) fn hand_over(
        &self,
        params: &mut BootParams<'_>,
        tail: &mut Tail<'_>,
    ) -> Result<(), kexec_core::types::ranges::CapacityError> {
        params.set_acpi_rsdp_if_unknown(self.acpi_rsdp);
        let Some(services) = &self.services else {
            return Ok(());
        };
        let len = services.memory_map.len() as u64;
        let memory_map = tail.push(&[&services.memory_map])?;
        let memory_map = Range::from_start_len(memory_map, len).unwrap_or_default();
        params.set_efi_info(&services.info.encode(memory_map, services.descriptor_len));
        tail.push_setup_data(params, SetupDataType::Efi, &services.setup_data.encode())
    }
}

impl Services {
    /// None where the running kernel does not tell all of them.
    fn read(
        sysfs: &Mount,
        info: EfiInfo,
        view: &KernelsServices,
    ) -> Result<Option<Self>, AllocError> {
        let mut memory_map = KVec::new();
        memory_map.extend_from_slice(view.memory_map, GFP_KERNEL)?;
        let services = Self::find(sysfs, info, view, memory_map);
        if services.is_none() {
            pr_warn!(
                "the loaded kernel will have ACPI, but none of UEFI's services, and will not \
                 notice Secure Boot: the firmware's system table or /sys/firmware/efi could not \
                 be read\n"
            );
        }
        Ok(services)
    }

    fn find(
        sysfs: &Mount,
        info: EfiInfo,
        view: &KernelsServices,
        memory_map: KVec<u8>,
    ) -> Option<Self> {
        let setup_data = SetupData {
            firmware_vendor: read_address(sysfs, c"firmware/efi/fw_vendor")?,
            configuration_tables: read_address(sysfs, c"firmware/efi/config_table")?,
            smbios: view.smbios,
        };
        let system_table = info.system_table_range()?;
        let mut bytes = [0; SYSTEM_TABLE_LEN];
        let mapping = Mapping::new(system_table).ok()?;
        let copied = mapping.copy_to(system_table.start(), &mut bytes);
        let bytes = bytes.get(..copied)?;
        Some(Self {
            info,
            setup_data,
            memory_map,
            descriptor_len: view.descriptor_len,
            system_table,
            configuration_tables: efi::configuration_tables(
                bytes,
                setup_data.configuration_tables,
            )?,
        })
    }
}

/// Reads a file that has an address as `0x3f9ee018`.
fn read_address(sysfs: &Mount, path: &CStr) -> Option<u64> {
    let mut text = [0; 32];
    let text = core::str::from_utf8(sysfs.read(path, &mut text).ok()?).ok()?;
    u64::from_str_radix(text.trim_end().strip_prefix("0x")?, 16).ok()
}
