// SPDX-License-Identifier: GPL-2.0

//! Things that there are once: a static structure that is registered somewhere, a pointer that is
//! swapped.

use crate::compat::prelude::*;
use core::sync::atomic::{
    AtomicBool,
    Ordering, //
};

/// A place that one value at a time can hold.
pub(crate) struct Slot(AtomicBool);

/// Holds a [`Slot`] for as long as it lives.
pub(crate) struct Held(&'static Slot);

impl Slot {
    /// One that nobody holds.
    pub(crate) const fn free() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Holds it, or fails with EBUSY where somebody else does.
    pub(crate) fn hold(&'static self) -> Result<Held> {
        match self.0.swap(true, Ordering::AcqRel) {
            false => Ok(Held(self)),
            true => Err(EBUSY),
        }
    }

    /// Whether somebody holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0 .0.store(false, Ordering::Release);
    }
}
