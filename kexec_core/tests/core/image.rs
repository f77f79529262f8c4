// SPDX-License-Identifier: GPL-2.0

//! Tests of the formats that kernels come in.

mod arm64;
mod blocks;
mod boundaries;
mod elf_fixture;
mod elf_kernel;
mod format;
mod promises;
mod uki;
mod unpack;
mod x86_64;
mod zboot;
