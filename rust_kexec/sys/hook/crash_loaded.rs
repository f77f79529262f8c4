// SPDX-License-Identifier: GPL-2.0

//! The kernel's answer to whether a crash image is loaded: `kexec_crash_loaded()`.
//!
//! sysfs shows it (`kexec_crash_loaded`, from 7.0 on also `kexec/crash_loaded`), an oops prints it
//! ("Kdump: loaded"), and pvpanic, the machine check handler and code for Xen and Hyper-V act on it.

use super::function::{
    return_from,
    Hook, //
};
use crate::{
    compat::prelude::*,
    sys::{
        bindings,
        kexec,
        slot::{
            Held,
            Slot, //
        }, //
    }, //
};
use kernel::ffi::{
    c_int,
    c_ulong, //
};

/// The image that the answer is about, beside the kernel's own.
pub(crate) trait LoadedImage {
    /// Whether the next crash boots it. Called anywhere, in an NMI too.
    fn is_armed() -> bool;
}

static CRASH_LOADED: Hook = Hook::replacing(c"kexec_crash_loaded");

/// Has `kexec_crash_loaded()` say 1 while an image of ours is armed, for as long as this lives. A kernel
/// without crash images of its own does not ask.
pub(crate) struct CrashLoadedHook(Held);

impl CrashLoadedHook {
    /// Hooks the function.
    pub(crate) fn register<T: LoadedImage>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let held = SLOT.hold()?;
        if cfg!(CONFIG_CRASH_DUMP) {
            CRASH_LOADED.register(crash_loaded_entered::<T>, &held)?;
        }
        Ok(Self(held))
    }
}

impl Drop for CrashLoadedHook {
    fn drop(&mut self) {
        CRASH_LOADED.unregister(&self.0);
    }
}

/// The answer while an image is armed.
extern "C" fn loaded() -> c_int {
    1
}

/// # Safety
///
/// To be called by a hook, at the entry of `kexec_crash_loaded`.
unsafe extern "C" fn crash_loaded_entered<T: LoadedImage>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    if T::is_armed() && !kexec::IMAGE.is_asked() {
        // SAFETY: The registers are the hook's; `loaded` returns in the place of the hooked function,
        // and has its type.
        unsafe { return_from(registers, loaded) }
    }
}
