// SPDX-License-Identifier: GPL-2.0

//! What is particular to x86: the boot protocol and the memory map that it hands over.

pub mod acpi;
pub mod boot_params;
pub mod bzimage;
pub mod efi;
pub mod kernel;
pub mod kvm;
pub mod memory_map;
pub mod page_tables;
pub mod protocol;
pub mod setup_data;
pub mod vmlinux;
