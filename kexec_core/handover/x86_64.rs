// SPDX-License-Identifier: GPL-2.0

//! What an x86_64 capture kernel is entered with: boot_params, the firmware's tables, page tables.

pub mod acpi;
pub mod boot_params;
pub mod efi;
pub mod kvm;
pub mod memory_map;
pub mod page_tables;
pub mod setup_data;
