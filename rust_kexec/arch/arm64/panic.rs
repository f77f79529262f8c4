// SPDX-License-Identifier: GPL-2.0

//! The callbacks of a panic need nothing more on arm64.

use crate::sys::panic::PanicCallbacks;

/// A type whose callbacks the module calls on arm64.
pub(crate) trait ArchitectureCallbacks: PanicCallbacks {}

/// Says that a type is one.
macro_rules! callbacks {
    ($callbacks:ty) => {
        impl $crate::arch::panic::ArchitectureCallbacks for $callbacks {}
    };
}
pub(crate) use callbacks;
