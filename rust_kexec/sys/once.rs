// SPDX-License-Identifier: GPL-2.0

//! Actions that are done once, before their outcome is used.

use core::{
    hint::spin_loop,
    sync::atomic::{
        AtomicU8,
        Ordering, //
    }, //
};

/// An action that is done on the first call. Not for the crash path: the others wait for the first.
pub(crate) struct Once(AtomicU8);

// How far it is.
const NEW: u8 = 0;
const BEGUN: u8 = 1;
const DONE: u8 = 2;

impl Once {
    /// One that is still to be done.
    pub(crate) const fn new() -> Self {
        Self(AtomicU8::new(NEW))
    }

    /// Runs `action` on the first call, and waits for that on any other. `action` must be short: the wait
    /// spins.
    pub(crate) fn call(&self, action: impl FnOnce()) {
        match self
            .0
            .compare_exchange(NEW, BEGUN, Ordering::Acquire, Ordering::Acquire)
        {
            Ok(_) => {
                action();
                self.0.store(DONE, Ordering::Release);
            }
            Err(_) => {
                while self.0.load(Ordering::Acquire) != DONE {
                    spin_loop();
                }
            }
        }
    }
}
