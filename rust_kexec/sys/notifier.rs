// SPDX-License-Identifier: GPL-2.0

//! The notifier chains by which the kernel tells of a panic and of an oops.

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

/// A function that a chain calls.
type Call = extern "C" fn(*mut bindings::notifier_block, c_ulong, *mut c_void) -> c_int;

/// A place in a chain, ahead of all others.
struct Place(KernelStatic<bindings::notifier_block>);

impl Place {
    const fn new() -> Self {
        Self(KernelStatic::zeroed())
    }

    /// The block that has this function called.
    fn filled(&self, call: Call, _held: &Held) -> *mut bindings::notifier_block {
        let block = self.0.get();
        // SAFETY: The slot is held, so the block is in no chain, and nobody else writes to it.
        unsafe {
            (*block).notifier_call = Some(call);
            (*block).priority = c_int::MAX;
        }
        block
    }
}

static PANIC: Place = Place::new();
static OOPS: Place = Place::new();

/// Is called ahead of all other notifiers when the kernel panics.
pub(crate) struct PanicNotifier {
    _slot: Held,
}

impl PanicNotifier {
    /// Enters the chain, from which [`PanicCallbacks::panic_noticed`] is called.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        let block = PANIC.filled(panicking::<T>, &slot);
        // SAFETY: Both are statics, and the block is in no chain; `drop` takes it out again.
        to_result(unsafe {
            bindings::atomic_notifier_chain_register(
                addr_of_mut!(bindings::panic_notifier_list),
                block,
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
                PANIC.0.get(),
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

/// Is called ahead of all other notifiers when the kernel oopses.
pub(crate) struct OopsNotifier {
    _slot: Held,
}

impl OopsNotifier {
    /// Enters the chain, from which [`PanicCallbacks::oops`] is called.
    pub(crate) fn register<T: PanicCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        let block = OOPS.filled(oopsed::<T>, &slot);
        // SAFETY: The block is a static that is in no chain; `drop` takes it out again.
        to_result(unsafe { bindings::register_die_notifier(block) })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for OopsNotifier {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. The result is an error only for an unknown block.
        unsafe { bindings::unregister_die_notifier(OOPS.0.get()) };
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
