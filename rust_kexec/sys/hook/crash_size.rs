// SPDX-License-Identifier: GPL-2.0

//! The kernel's answer to how much memory is set aside for a capture kernel: `crash_get_memory_size()`.
//!
//! sysfs shows it (`kexec_crash_size`, from 7.0 on also `kexec/crash_size`), and services for kdump look
//! there whether anything is.

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
use kernel::ffi::c_ulong;

/// The memory that the answer is about, where the kernel itself has reserved none.
pub(crate) trait SetAside {
    /// How much it is, in bytes; 0 where there is none.
    fn len() -> usize;
}

static CRASH_SIZE: Hook = Hook::replacing(c"crash_get_memory_size");

/// Has `crash_get_memory_size()` count memory that was taken at run time, for as long as this lives. A kernel
/// without crash images of its own does not ask.
pub(crate) struct CrashSizeHook(Held);

impl CrashSizeHook {
    /// Hooks the function.
    pub(crate) fn register<T: SetAside>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let held = SLOT.hold()?;
        if cfg!(CONFIG_CRASH_DUMP) {
            CRASH_SIZE.register(crash_size_entered::<T>, &held)?;
        }
        Ok(Self(held))
    }
}

impl Drop for CrashSizeHook {
    fn drop(&mut self) {
        CRASH_SIZE.unregister(&self.0);
    }
}

/// The answer while there is such memory.
extern "C" fn size<T: SetAside>() -> isize {
    T::len() as isize
}

/// # Safety
///
/// To be called by a hook, at the entry of `crash_get_memory_size`.
unsafe extern "C" fn crash_size_entered<T: SetAside>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    if T::len() != 0 && !kexec::SIZE.is_asked() {
        // SAFETY: The registers are the hook's; `size` returns in the place of the hooked function,
        // and has its type.
        unsafe { return_from(registers, size::<T>) }
    }
}
