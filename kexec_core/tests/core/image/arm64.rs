// SPDX-License-Identifier: GPL-2.0

//! Tests of the formats of arm64 kernels.

mod arm64_image;
mod vmlinux;
