// SPDX-License-Identifier: GPL-2.0

//! The error of a change to the kernel's map of all RAM, on all architectures.

use crate::compat::prelude::*;
use core::fmt;

/// The reason; `E` is what an architecture finds wrong with the map.
pub(crate) enum Failure<E> {
    /// The map is none that can be changed.
    Map(E),
    /// A mapping that has other memory as well could not be split.
    Split(Error),
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Split(error)
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(error) => error.fmt(f),
            Self::Split(error) => {
                let number = -error.to_errno();
                write!(f, "its mapping could not be split (error {number})")
            }
        }
    }
}
