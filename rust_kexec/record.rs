// SPDX-License-Identifier: GPL-2.0

//! The notes that a crash leaves for the dump, in memory of their own outside the reserved region.
//!
//! - `notes`: the registers of each CPU;
//! - `vmcoreinfo`: a copy of the running kernel's VMCOREINFO, with the time of the crash;
//! - `own_vmcoreinfo`: what is copied where the kernel has none;
//! - `report`: the times of the stages of the crash, and which CPUs have stopped.
//!
//! The load makes these notes, and the elfcorehdr names them. `oops` keeps registers that may become those
//! of a CPU; no header names it.

mod notes;
mod oops;
#[cfg(not(CONFIG_VMCORE_INFO))]
mod own_vmcoreinfo;
mod report;
mod vmcoreinfo;

use crate::refusal::Refusal;
use kexec_core::types::ranges::Range;
use notes::CrashNotes;
use oops::Oopses;
use report::CrashReport;
use vmcoreinfo::CrashVmcoreinfo;

/// The notes that a crash writes, and what it may put there.
pub(crate) struct CrashRecord {
    pub(crate) notes: CrashNotes,
    pub(crate) vmcoreinfo: CrashVmcoreinfo,
    pub(crate) report: CrashReport,
    pub(crate) oopses: Oopses,
}

impl CrashRecord {
    /// An empty record, for the CPUs that there are or can be.
    pub(crate) fn new() -> Result<Self, Refusal> {
        Ok(Self {
            notes: CrashNotes::find()?,
            vmcoreinfo: CrashVmcoreinfo::copy()?,
            report: CrashReport::new()?,
            oopses: Oopses::new()?,
        })
    }

    /// The memory of each note, in the order in which the dump has them.
    pub(crate) fn memory(&self) -> impl Iterator<Item = Range> + '_ {
        let others = [self.vmcoreinfo.memory(), self.report.memory()];
        self.notes.memory().chain(others)
    }
}
