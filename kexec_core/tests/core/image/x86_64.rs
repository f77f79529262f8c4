// SPDX-License-Identifier: GPL-2.0

//! Tests of the formats of x86_64 kernels.

mod bzimage;
mod payload;
mod vmlinux;
