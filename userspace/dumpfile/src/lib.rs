// SPDX-License-Identifier: GPL-2.0

//! The files that hold a dump: ELF cores, as /proc/vmcore is one, and kdump-compressed files, plain
//! or flattened.

pub mod frames;
pub mod memory;
