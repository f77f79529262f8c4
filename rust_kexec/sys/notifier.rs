// SPDX-License-Identifier: GPL-2.0

//! The panic notifier chain.

use super::{
    bindings::{
        self,
        KernelStatic, //
    },
    panic::PanicCallbacks,
    slot::{
        Held,
        Slot, //
    }, //
};
use crate::compat::prelude::*;
use core::ptr::addr_of_mut;
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    }, //
};

static BLOCK: KernelStatic<bindings::notifier_block> = KernelStatic::zeroed();

/// Is called ahead of all other notifiers when the kernel panics.
pub(crate) struct PanicNotifier {
    _slot: Held,
}

impl PanicNotifier {
    /// Enters the chain, from which [`PanicCallbacks::panic_noticed`] is called.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: The slot is held, so the block is in no chain, and nobody else writes to it.
        unsafe {
            (*BLOCK.get()).notifier_call = Some(panicking::<T>);
            (*BLOCK.get()).priority = c_int::MAX;
        }
        // SAFETY: Both are statics, and the block is in no chain; `drop` takes it out again.
        to_result(unsafe {
            bindings::atomic_notifier_chain_register(
                addr_of_mut!(bindings::panic_notifier_list),
                BLOCK.get(),
            )
        })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for PanicNotifier {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. The result is an error only for an unknown block.
        unsafe {
            bindings::atomic_notifier_chain_unregister(
                addr_of_mut!(bindings::panic_notifier_list),
                BLOCK.get(),
            )
        };
    }
}

extern "C" fn panicking<T: PanicCallbacks>(
    _block: *mut bindings::notifier_block,
    _action: c_ulong,
    _message: *mut c_void,
) -> c_int {
    // SAFETY: panic() calls its notifiers with preemption off.
    unsafe { T::panic_noticed() }
    0
}
