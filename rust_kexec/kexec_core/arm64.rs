// SPDX-License-Identifier: GPL-2.0

//! What is particular to arm64: the Image format, the device tree that the kernel is entered with,
//! the page tables of the jump, and those of the running kernel.

pub mod console;
pub mod device_tree;
pub mod fdt;
pub mod image;
pub mod kernel;
pub mod kernel_map;
pub mod page_tables;
pub mod vmlinux;
