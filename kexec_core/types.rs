// SPDX-License-Identifier: GPL-2.0

//! The plain types that all rooms build on: fields in byte slices, ranges, sizes, error numbers,
//! digests, parameters, page sizes, hexadecimal numbers, and the ELF structures of kernels and dumps.

pub(crate) mod bytes;
pub mod digest;
pub mod elf;
pub mod errno;
pub mod granule;
pub mod hexadecimal;
pub(crate) mod parameters;
pub mod ranges;
pub mod size;
