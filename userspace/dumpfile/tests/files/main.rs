// SPDX-License-Identifier: GPL-2.0

//! What is written is read again, and what is damaged is refused.

mod cut;
mod elf_core;
mod elf_dump;
mod elf_file;
mod flattened;
mod kdump;
mod machine;
mod manifest;
