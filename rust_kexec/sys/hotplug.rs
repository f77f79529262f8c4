// SPDX-License-Identifier: GPL-2.0

//! The kernel's notices of memory and CPUs that come and go.

use super::bindings;
use crate::compat::prelude::*;
use kernel::error::{to_result, Error};
use kernel::ffi::c_int;

/// The functions that the notices call, with the kernel's locks of memory or CPU hotplug held.
pub(crate) trait HotplugCallbacks {
    /// Memory went online or offline.
    fn memory_changed();

    /// A CPU is about to start.
    fn cpu_comes(cpu: usize);
}

/// Has the notices call a type's [`HotplugCallbacks`]. Once in the module: C knows the functions by
/// their names.
macro_rules! callbacks {
    ($callbacks:ty) => {
        #[no_mangle]
        extern "C" fn rust_kexec_memory_changed() {
            <$callbacks as $crate::sys::hotplug::HotplugCallbacks>::memory_changed();
        }

        #[no_mangle]
        extern "C" fn rust_kexec_cpu_comes(cpu: kernel::ffi::c_uint) -> kernel::ffi::c_int {
            <$callbacks as $crate::sys::hotplug::HotplugCallbacks>::cpu_comes(cpu as usize);
            0
        }
    };
}
pub(crate) use callbacks;

/// Notices of memory that goes online or offline.
pub(crate) struct MemoryNotifier(());

impl MemoryNotifier {
    /// Enters the chain of notifiers.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: Registers a static block, which `drop` takes out again.
        to_result(unsafe { bindings::rust_kexec_follow_memory() })?;
        Ok(Self(()))
    }
}

impl Drop for MemoryNotifier {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. Waits until no notifier runs.
        unsafe { bindings::rust_kexec_unfollow_memory() }
    }
}

/// Notices of CPUs that are about to start.
pub(crate) struct CpuState(c_int);

impl CpuState {
    /// Adds a state to those that a CPU goes through.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: `drop` removes the state.
        match unsafe { bindings::rust_kexec_follow_cpus() } {
            error if error < 0 => Err(Error::from_errno(error)),
            state => Ok(Self(state)),
        }
    }
}

impl Drop for CpuState {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. Waits until no CPU is in the state.
        unsafe { bindings::rust_kexec_unfollow_cpus(self.0) }
    }
}
