// SPDX-License-Identifier: GPL-2.0

//! Digests in kernels that were built without the crypto interface for them: there are none.

use crate::compat::prelude::*;
use core::ffi::CStr;

/// The longest digest, SHA-512's.
pub(crate) const DIGEST_MAX: usize = 64;

/// A digest that is being computed.
pub(crate) enum Digest {}

impl Digest {
    /// The kernel does not have it.
    pub(crate) fn new(_algorithm: &CStr) -> Option<Self> {
        None
    }

    /// Takes `bytes` in.
    pub(crate) fn update(&mut self, _bytes: &[u8]) -> Result {
        match *self {}
    }

    /// Writes the digest to `out`, and begins the next one.
    pub(crate) fn finish(&mut self, _out: &mut [u8]) -> Result {
        match *self {}
    }
}
