// SPDX-License-Identifier: GPL-2.0

//! The parts of kexec and kdump that can be tested without a machine.
//!
//! These are image formats, ranges, plans of segments, the elfcorehdr and notes, the handover to
//! the purgatory, estimates of memory, and the structures that user space sees. Functions take slices and fill the
//! caller's buffers: there is no allocation, no I/O and no `unsafe`. Kbuild compiles these files
//! into `rust_kexec.ko`; cargo compiles the same files for tests on the host, for `rkexec` and for
//! the purgatory.
//!
//! Each module is a room, and imports only from itself and from the rooms below it.
//! `scripts/check-layers` has the order of the rooms and checks the imports.

// Kbuild adds the attribute by itself.
#![cfg_attr(not(MODULE), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod contiguous;
pub mod crashkernel;
pub mod dump;
pub mod error;
pub mod estimate;
pub mod handover;
pub mod image;
pub mod plan;
pub mod scattered;
pub mod signature;
pub mod types;
pub mod uapi;
