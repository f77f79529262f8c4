// SPDX-License-Identifier: GPL-2.0

//! The parts of kexec and kdump that can be right or wrong without a machine.
//!
//! Image formats, range algebra, segment planning, ELF core headers and notes, the handover to
//! the purgatory and the structures shared with user space. Everything here takes slices and
//! fills the caller's buffers: there is no allocation, no I/O and no `unsafe`. Kbuild compiles
//! these files into `rust_kexec.ko`; cargo compiles the same files for the host's tests, for
//! `rkexec` and for the purgatory.

// Kbuild adds the attribute by itself.
#![cfg_attr(not(MODULE), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod types;

pub mod uapi;

pub mod signature;

pub mod image;

pub mod plan;

pub mod dump;

pub mod handover;

pub mod error;
