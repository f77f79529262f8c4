// SPDX-License-Identifier: GPL-2.0

//! The formats of x86_64 kernels, and the kernel that is compressed in one of them.

pub mod bzimage;
pub mod kernel;
pub mod payload;
pub mod protocol;
pub mod setup_header;
pub mod verify;
pub mod vmlinux;
