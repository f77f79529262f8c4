// SPDX-License-Identifier: GPL-2.0

//! What the module, the purgatory and the shim rely on `kexec_core` for.
//!
//! A sentence in a refusal is part of that, so tests compare sentences as well. Where another
//! implementation of a format exists, the tests compare with it rather than with themselves.

mod arm64;
mod authenticode;
mod boot_params;
mod boundaries;
mod bzimage;
mod command_line;
mod core_header;
mod core_header_cases;
mod digest;
mod efi;
mod elf_kernel;
mod errors;
mod excluded;
mod fixture;
mod format;
mod handover;
mod header_slots;
mod large_pages;
mod memory_map;
mod no_panics;
mod note;
mod pe;
mod pe_fixture;
mod plan;
mod prstatus;
mod ranges;
mod signature;
mod uapi;
mod uki;
mod unpack;
mod vmcore;
mod vmcoreinfo;
mod windows;
mod zboot;
