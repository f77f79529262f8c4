// SPDX-License-Identifier: GPL-2.0

//! References that keep this module from being removed.

use super::bindings;
use core::{
    mem,
    ptr::addr_of_mut, //
};

/// Keeps the module loaded: rmmod is refused while one of these lives.
///
/// To be dropped by code that another reference protects, such as an open file of the
/// module's device, or when the module is removed.
pub(crate) struct ModuleReference(());

impl ModuleReference {
    /// Takes a reference, unless the module is being removed.
    pub(crate) fn get() -> Option<Self> {
        // SAFETY: Counts, or finds that the module is going away.
        unsafe { bindings::rust_kexec_try_module_get(addr_of_mut!(bindings::__this_module)) }
            .then_some(Self(()))
    }

    /// Leaves the reference to somebody else, who takes it over with [`Self::left`].
    pub(crate) fn leave(self) {
        mem::forget(self);
    }

    /// Takes over a reference.
    ///
    /// # Safety
    ///
    /// There must be one that [`Self::leave`] has left to the caller alone.
    pub(crate) unsafe fn left() -> Self {
        Self(())
    }
}

impl Drop for ModuleReference {
    fn drop(&mut self) {
        // SAFETY: Taken in `get`.
        unsafe { bindings::rust_kexec_module_put(addr_of_mut!(bindings::__this_module)) }
    }
}
