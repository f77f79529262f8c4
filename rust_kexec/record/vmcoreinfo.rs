// SPDX-License-Identifier: GPL-2.0

//! The copy of VMCOREINFO that the dump gets, with room for the time of the crash.

#[cfg(not(CONFIG_VMCORE_INFO))]
use super::own_vmcoreinfo;
#[cfg(CONFIG_VMCORE_INFO)]
use crate::sys::vmcoreinfo;
use crate::{
    compat::prelude::*,
    refusal::Refusal,
    sys::physical, //
};
use core::{
    cell::UnsafeCell,
    ops::Deref, //
};
use kexec_core::{
    dump::vmcoreinfo::{
        with_crashtime,
        with_crashtime_len,
        CrashTime, //
    },
    types::ranges::Range, //
};

/// The running kernel's note, with room after it, or one that stands in for it.
fn running() -> Result<impl Deref<Target = [u8]>, Refusal> {
    #[cfg(CONFIG_VMCORE_INFO)]
    return Ok(vmcoreinfo::note());
    #[cfg(not(CONFIG_VMCORE_INFO))]
    own_vmcoreinfo::note()
}

/// A note in memory of its own, outside the region, because the crash writes to it.
pub(crate) struct CrashVmcoreinfo {
    note: UnsafeCell<KVec<u8>>,
    memory: Range,
    crash_time: CrashTime,
}

// SAFETY: Only the CPU that crashes writes to the note, once, in `stamp`.
unsafe impl Sync for CrashVmcoreinfo {}

impl CrashVmcoreinfo {
    /// Copies the running kernel's note.
    pub(super) fn copy() -> Result<Self, Refusal> {
        let running = running()?;
        let mut note = KVec::new();
        note.extend_with(with_crashtime_len(running.len()), 0, GFP_KERNEL)?;
        let (len, crash_time) = with_crashtime(&mut note, &running)?;
        let memory = Range::from_start_len(physical::address_of(&note), len as u64);
        Ok(Self {
            note: UnsafeCell::new(note),
            memory: memory.unwrap_or_default(),
            crash_time,
        })
    }

    /// Where the note is.
    pub(super) fn memory(&self) -> Range {
        self.memory
    }

    /// Writes the time of the crash, in seconds since 1970.
    ///
    /// # Safety
    ///
    /// Only for the CPU that crashes, once.
    pub(crate) unsafe fn stamp(&self, seconds: u64) {
        // SAFETY: The caller is the only user of the note.
        let note = unsafe { &mut *self.note.get() };
        self.crash_time.write(note, seconds);
    }
}
