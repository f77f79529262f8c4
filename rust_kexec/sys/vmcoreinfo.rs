// SPDX-License-Identifier: GPL-2.0

//! The note in which the running kernel describes itself to readers of its dump.

use super::{
    bindings,
    physical, //
};

/// The running kernel's VMCOREINFO as an ELF note, with room after it.
pub(crate) fn note() -> &'static [u8] {
    // SAFETY: The kernel allocates the note at boot, of this length, in directly mapped memory,
    // and changes it only when its own crash path runs.
    unsafe {
        let address = physical::direct_map_address(bindings::paddr_vmcoreinfo_note());
        core::slice::from_raw_parts(address, bindings::VMCOREINFO_NOTE_SIZE)
    }
}
