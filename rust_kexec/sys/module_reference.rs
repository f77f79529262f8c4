// SPDX-License-Identifier: GPL-2.0

//! References that keep this module from being removed.

extern "C" {
    fn rust_kexec_get_module();
    fn rust_kexec_put_module();
}

/// Keeps the module loaded: rmmod is refused while one of these lives.
pub(crate) struct ModuleReference(());

impl ModuleReference {
    /// Takes a reference. Only for code that somebody else's reference protects meanwhile, such
    /// as an open file of the module's device.
    pub(crate) fn get() -> Self {
        // SAFETY: The caller runs under another reference, so the module cannot be going away.
        unsafe { rust_kexec_get_module() };
        Self(())
    }
}

impl Drop for ModuleReference {
    fn drop(&mut self) {
        // SAFETY: Taken in `get`.
        unsafe { rust_kexec_put_module() }
    }
}
