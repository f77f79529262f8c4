// SPDX-License-Identifier: GPL-2.0

//! The note in which the running kernel describes itself to readers of its dump.

use super::physical;
use kernel::ffi::c_uint;

extern "C" {
    fn rust_kexec_vmcoreinfo_address() -> u64;
    fn rust_kexec_vmcoreinfo_len() -> c_uint;
}

/// The running kernel's VMCOREINFO as an ELF note, with room behind it.
pub(crate) fn note() -> &'static [u8] {
    // SAFETY: The kernel allocates the note at boot, of this length, in directly mapped memory,
    // and changes it only when its own crash path runs.
    unsafe {
        let address = physical::direct_map_address(rust_kexec_vmcoreinfo_address());
        core::slice::from_raw_parts(address, rust_kexec_vmcoreinfo_len() as usize)
    }
}
