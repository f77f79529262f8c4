// SPDX-License-Identifier: GPL-2.0

//! What a crash leaves for the dump: notes in memory of their own, which the ELF core header names.
//!
//! - `notes`: the registers of each CPU;
//! - `vmcoreinfo`: a copy of the running kernel's VMCOREINFO, with the time of the crash;
//! - `report`: when the crash path came how far, and which CPUs have stopped.

pub(crate) mod notes;
pub(crate) mod report;
pub(crate) mod vmcoreinfo;
