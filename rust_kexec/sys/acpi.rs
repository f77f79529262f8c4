// SPDX-License-Identifier: GPL-2.0

//! ACPI tables, as the kernel keeps them mapped.

use super::bindings;
use crate::compat::prelude::*;
use kernel::ffi::c_void;

/// Whether ACPI describes this machine to the kernel.
pub(crate) fn is_enabled() -> bool {
    // SAFETY: Reads a variable that is constant after boot.
    unsafe { bindings::rust_kexec_acpi_is_enabled() }
}

/// An ACPI table.
///
/// # Invariants
///
/// `table` points to `len` readable bytes until it is put back.
pub(crate) struct AcpiTable {
    table: *const c_void,
    len: usize,
}

impl AcpiTable {
    /// The first table with this signature.
    pub(crate) fn get(signature: &core::ffi::CStr) -> Option<Self> {
        let mut len = 0;
        // SAFETY: Both pointers are valid for the call.
        let table =
            unsafe { bindings::rust_kexec_acpi_get_table(signature.as_char_ptr(), &mut len) };
        // INVARIANT: ACPICA maps a table in its whole length.
        (!table.is_null()).then_some(Self {
            table,
            len: len as usize,
        })
    }

    /// The table's bytes, its header included.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: By the type's invariant.
        unsafe { core::slice::from_raw_parts(self.table.cast(), self.len) }
    }
}

impl Drop for AcpiTable {
    fn drop(&mut self) {
        // SAFETY: `table` came from acpi_get_table and is put back once.
        unsafe { bindings::rust_kexec_acpi_put_table(self.table) }
    }
}
