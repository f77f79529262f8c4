// SPDX-License-Identifier: GPL-2.0

//! The formats of x86_64 kernels that are loaded without being unpacked.

pub mod bzimage;
pub mod kernel;
pub mod protocol;
pub mod setup_header;
pub mod verify;
pub mod vmlinux;
