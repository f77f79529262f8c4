// SPDX-License-Identifier: GPL-2.0

//! The formats of arm64 kernels that are loaded without being unpacked.

pub mod arm64_image;
pub mod headed;
pub mod header;
pub mod kernel;
pub mod verify;
pub mod vmlinux;
