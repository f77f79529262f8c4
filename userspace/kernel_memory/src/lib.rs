// SPDX-License-Identifier: GPL-2.0

//! What the pages of a dumped kernel hold, by the kernel's own description of itself.

#![forbid(unsafe_code)]

pub mod filter;
pub mod log;
pub mod pages;
pub mod translation;
pub mod vmcoreinfo;
