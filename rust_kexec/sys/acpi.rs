// SPDX-License-Identifier: GPL-2.0

//! ACPI tables, as the kernel keeps them mapped.

use super::bindings;
use crate::compat::prelude::*;
#[cfg(CONFIG_ACPI)]
use core::ptr;
use core::{
    ffi::CStr,
    ptr::NonNull,
    slice, //
};

/// Whether ACPI describes this machine to the kernel.
pub(crate) fn is_enabled() -> bool {
    #[cfg(CONFIG_ACPI)]
    // SAFETY: Reads a variable that is constant after boot.
    return unsafe { bindings::acpi_disabled } == 0;
    #[cfg(not(CONFIG_ACPI))]
    false
}

/// An ACPI table.
///
/// # Invariants
///
/// The pointer is to a table that is mapped in its whole length until it is put back.
pub(crate) struct AcpiTable(NonNull<bindings::acpi_table_header>);

impl AcpiTable {
    /// The first table with this signature.
    #[cfg(CONFIG_ACPI)]
    pub(crate) fn get(signature: &CStr) -> Option<Self> {
        let mut table = ptr::null_mut();
        // SAFETY: The signature is only read, and `table` receives a pointer.
        let status =
            unsafe { bindings::acpi_get_table(signature.as_char_ptr().cast_mut(), 1, &mut table) };
        // INVARIANT: ACPICA maps a table in its whole length.
        NonNull::new(table).filter(|_| status == 0).map(Self)
    }

    /// None: the kernel was built without ACPI.
    #[cfg(not(CONFIG_ACPI))]
    pub(crate) fn get(_signature: &CStr) -> Option<Self> {
        None
    }

    /// The table's bytes, its header included.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: By the type's invariant.
        unsafe { slice::from_raw_parts(self.0.as_ptr().cast(), self.0.as_ref().length as usize) }
    }
}

#[cfg(CONFIG_ACPI)]
impl Drop for AcpiTable {
    fn drop(&mut self) {
        // SAFETY: The table came from acpi_get_table() and is put back once.
        unsafe { bindings::acpi_put_table(self.0.as_ptr()) }
    }
}
