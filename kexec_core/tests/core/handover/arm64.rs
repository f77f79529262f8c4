// SPDX-License-Identifier: GPL-2.0

//! Tests of the handover on arm64.

mod console;
mod device_tree;
mod fdt;
mod kernel_map;
mod libfdt;
mod memory;
mod page_tables;
mod tree;
