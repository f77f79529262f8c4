// SPDX-License-Identifier: GPL-2.0

//! The die notifier chain, by which the kernel tells of an oops.

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
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    }, //
};

static BLOCK: KernelStatic<bindings::notifier_block> = KernelStatic::zeroed();

/// Is called ahead of all other notifiers when the kernel oopses.
pub(crate) struct OopsNotifier {
    _slot: Held,
}

impl OopsNotifier {
    /// Enters the chain, from which [`PanicCallbacks::oops`] is called.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: The slot is held, so the block is in no chain, and nobody else writes to it.
        unsafe {
            (*BLOCK.get()).notifier_call = Some(oopsed::<T>);
            (*BLOCK.get()).priority = c_int::MAX;
        }
        // SAFETY: The block is a static that is in no chain; `drop` takes it out again.
        to_result(unsafe { bindings::register_die_notifier(BLOCK.get()) })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for OopsNotifier {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. The result is an error only for an unknown block.
        unsafe { bindings::unregister_die_notifier(BLOCK.get()) };
    }
}

extern "C" fn oopsed<T: PanicCallbacks>(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    arguments: *mut c_void,
) -> c_int {
    if event == bindings::die_val_DIE_OOPS as c_ulong {
        // SAFETY: The argument is a `struct die_args`. The kernel holds its lock of oopses with interrupts
        // off; the registers, where there are any, were saved on the stack that the oops happened on.
        unsafe {
            let frame = (*arguments.cast::<bindings::die_args>()).regs;
            if !frame.is_null() {
                T::oops(frame);
            }
        }
    }
    0
}
