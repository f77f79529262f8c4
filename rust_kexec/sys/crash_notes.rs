// SPDX-License-Identifier: GPL-2.0

//! The module's buffers for the registers of each CPU, in a kernel that has none of its own.
//!
//! They are what the kernel's are elsewhere, by name and type: per-CPU data, to which a variable
//! `crash_notes` points. drgn finds it in the module's debug information.

#[cfg(not(CONFIG_CRASH_DUMP))]
use super::bindings;

/// The physical address of a CPU's buffer, for a CPU that can ever be there. None where the kernel has
/// buffers.
pub(crate) fn address(cpu: usize) -> Option<u64> {
    #[cfg(not(CONFIG_CRASH_DUMP))]
    // SAFETY: Looks up where per-CPU data of the module are; the caller asks for a CPU that has some.
    return Some(unsafe { bindings::rust_kexec_crash_notes(cpu as u32) });
    #[cfg(CONFIG_CRASH_DUMP)]
    {
        let _ = cpu;
        None
    }
}

/// Bytes in a buffer.
#[cfg(not(CONFIG_CRASH_DUMP))]
pub(crate) const LEN: usize = bindings::LEN_CRASH_NOTES;
