// SPDX-License-Identifier: GPL-2.0

//! The handover on arm64: the capture kernel's device tree, and the page tables of the jump.

pub mod console;
pub mod device_tree;
pub mod fdt;
pub mod kernel_map;
pub mod memory;
pub mod page_tables;
