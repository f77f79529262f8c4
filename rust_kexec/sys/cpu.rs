// SPDX-License-Identifier: GPL-2.0

//! Which CPUs there are and which one this is.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::error::Error;
use kernel::ffi::{c_int, c_uint};
use kernel::page::PAGE_SIZE;

/// The CPU that this code runs on. Meaningful where it cannot move to another one.
pub(crate) fn current() -> usize {
    // SAFETY: Reads a per-CPU variable.
    unsafe { bindings::rust_kexec_current_cpu() as usize }
}

/// The process that this CPU runs, 0 for an idle one.
pub(crate) fn current_pid() -> u32 {
    // SAFETY: Reads the current task, which lives as long as it runs.
    unsafe { bindings::rust_kexec_current_pid() as u32 }
}

/// One more than the highest number that a CPU can have.
pub(crate) fn ids() -> usize {
    // SAFETY: Reads a variable that is constant after boot.
    unsafe { bindings::rust_kexec_cpu_ids() as usize }
}

/// Whether a CPU with this number can ever be there.
pub(crate) fn is_possible(cpu: usize) -> bool {
    // SAFETY: Reads a mask; numbers past its end were sorted out before.
    cpu < ids() && unsafe { bindings::rust_kexec_cpu_is_possible(cpu as c_uint) }
}

/// Whether the CPU with this number is plugged in.
pub(crate) fn is_present(cpu: usize) -> bool {
    // SAFETY: Reads a mask; numbers past its end were sorted out before.
    cpu < ids() && unsafe { bindings::rust_kexec_cpu_is_present(cpu as c_uint) }
}

/// Whether the CPU with this number runs, or did until the kernel panicked: a panic takes CPUs out
/// of the online mask that stop themselves. One that was taken offline in order is not active either,
/// nor is one that was never started.
pub(crate) fn was_running(cpu: usize) -> bool {
    // SAFETY: Reads masks; numbers past their end were sorted out before.
    cpu < ids() && unsafe { bindings::rust_kexec_cpu_was_running(cpu as c_uint) }
}

/// What an attribute of a CPU's device says.
pub(crate) struct Attribute {
    page: KVec<u8>,
    len: usize,
}

impl Attribute {
    /// Asks the kernel for what reading `/sys/devices/system/cpu/cpuN/NAME` would return, without
    /// that file: it cannot be opened while CPUs come and go, and somebody may have mounted another
    /// one over it.
    pub(crate) fn read(cpu: usize, name: &CStr) -> Result<Self> {
        // A power of two, so that kmalloc() aligns it: sysfs_emit() wants a whole page.
        let mut page = KVec::new();
        page.extend_with(PAGE_SIZE, 0, GFP_KERNEL)?;
        // SAFETY: The name ends with a NUL, and there is a page to write to.
        let len = unsafe {
            bindings::rust_kexec_show_cpu_attribute(
                cpu as c_uint,
                name.as_char_ptr(),
                page.as_mut_ptr().cast(),
            )
        };
        let len = usize::try_from(len).map_err(|_| Error::from_errno(len as c_int))?;
        Ok(Self { page, len })
    }

    /// Its text.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.page.get(..self.len).unwrap_or_default()
    }
}

/// Waits without sleeping.
pub(crate) fn delay_microseconds(microseconds: u32) {
    // SAFETY: Busy-waits.
    unsafe { bindings::rust_kexec_delay_microseconds(microseconds) }
}
