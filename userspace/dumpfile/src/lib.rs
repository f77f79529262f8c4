// SPDX-License-Identifier: GPL-2.0

//! The files that hold a dump: ELF cores, as /proc/vmcore is one, and kdump-compressed files, plain
//! or flattened.
//!
//! Readers distrust what they read: every length, offset and count is checked against the file before
//! it is used, and nothing is allocated that the file does not account for. `unsafe` is in
//! [`mapping`] alone.

#![deny(unsafe_code)]

pub mod codec;
pub mod elf;
pub mod elf_core;
pub mod elf_dump;
pub mod flattened;
pub mod frames;
pub mod kdump;
pub mod manifest;
pub mod mapping;
pub mod memory;
mod notes;
pub mod order;
mod page;
pub mod source;
pub mod target;
mod view;
