// SPDX-License-Identifier: GPL-2.0

//! What is particular to arm64.

mod console;
mod device_tree;
mod fdt;
mod image;
mod kernel_map;
mod libfdt;
mod page_tables;
mod tree;
