// SPDX-License-Identifier: GPL-2.0

//! The kernel's notices of memory and CPUs that come and go.

#[cfg(CONFIG_MEMORY_HOTPLUG)]
use super::bindings::KernelStatic;
use super::{
    bindings,
    slot::{
        Held,
        Slot, //
    }, //
};
use crate::compat::prelude::*;
#[cfg(CONFIG_MEMORY_HOTPLUG)]
use kernel::error::to_result;
#[cfg(CONFIG_MEMORY_HOTPLUG)]
use kernel::ffi::{
    c_ulong,
    c_void, //
};
use kernel::{
    error::Error,
    ffi::{
        c_int,
        c_uint, //
    }, //
};

/// The functions that the notices call, with the kernel's locks of memory or CPU hotplug held.
pub(crate) trait HotplugCallbacks {
    /// Memory went online or offline.
    #[cfg(CONFIG_MEMORY_HOTPLUG)]
    fn memory_changed();

    /// A CPU is about to start.
    fn cpu_comes(cpu: usize);
}

/// Notices of memory that goes online or offline.
pub(crate) struct MemoryNotifier {
    _held: Held,
}

#[cfg(CONFIG_MEMORY_HOTPLUG)]
static BLOCK: KernelStatic<bindings::notifier_block> = KernelStatic::zeroed();

impl MemoryNotifier {
    /// Enters the chain of notifiers.
    pub(crate) fn register<T: HotplugCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let held = SLOT.hold()?;
        #[cfg(CONFIG_MEMORY_HOTPLUG)]
        // SAFETY: The slot is held, so the block is in no chain; `drop` takes it out again.
        to_result(unsafe {
            (*BLOCK.get()).notifier_call = Some(memory_notified::<T>);
            bindings::register_memory_notifier(BLOCK.get())
        })?;
        Ok(Self { _held: held })
    }
}

#[cfg(CONFIG_MEMORY_HOTPLUG)]
impl Drop for MemoryNotifier {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. Waits until no notifier runs.
        unsafe { bindings::unregister_memory_notifier(BLOCK.get()) }
    }
}

#[cfg(CONFIG_MEMORY_HOTPLUG)]
extern "C" fn memory_notified<T: HotplugCallbacks>(
    _block: *mut bindings::notifier_block,
    action: c_ulong,
    _memory: *mut c_void,
) -> c_int {
    if [bindings::MEMORY_ONLINE, bindings::MEMORY_OFFLINE].contains(&action) {
        T::memory_changed();
    }
    bindings::NOTIFY_OK as c_int
}

/// Notices of CPUs that are about to start.
pub(crate) struct CpuState(bindings::cpuhp_state);

impl CpuState {
    /// Adds a state to those that a CPU goes through.
    pub(crate) fn register<T: HotplugCallbacks>() -> Result<Self> {
        let state = bindings::cpuhp_state_CPUHP_BP_PREPARE_DYN;
        let name = c"rust_kexec:prepare".as_char_ptr();
        // SAFETY: As cpuhp_setup_state_nocalls(); the name is a constant. `drop` removes the state.
        let state = unsafe {
            bindings::__cpuhp_setup_state(state, name, false, Some(cpu_comes::<T>), None, false)
        };
        match bindings::cpuhp_state::try_from(state) {
            Ok(state) => Ok(Self(state)),
            Err(_) => Err(Error::from_errno(state)),
        }
    }
}

impl Drop for CpuState {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`, as for cpuhp_remove_state_nocalls(). Waits until no CPU is
        // in the state.
        unsafe { bindings::__cpuhp_remove_state(self.0, false) }
    }
}

extern "C" fn cpu_comes<T: HotplugCallbacks>(cpu: c_uint) -> c_int {
    T::cpu_comes(cpu as usize);
    0
}
