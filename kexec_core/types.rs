// SPDX-License-Identifier: GPL-2.0

//! What all rooms are built from: fields in bytes, ranges, sizes, error numbers, digests, and the
//! ELF structures that kernels and dumps share.

pub(crate) mod bytes;
pub mod digest;
pub mod elf;
pub mod errno;
pub mod granule;
pub(crate) mod parameters;
pub mod ranges;
pub mod size;
