// SPDX-License-Identifier: GPL-2.0

//! The handover on x86_64: boot_params, the firmware's tables, and the page tables of the jump.

pub mod acpi;
pub mod boot_params;
pub mod efi;
pub mod kvm;
pub mod memory_map;
pub mod page_tables;
pub mod setup_data;
