// SPDX-License-Identifier: GPL-2.0

//! Digests by the kernel's crypto interface, which knows the instructions that the CPU has for
//! them.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::ffi::{c_uint, c_void};

/// The longest digest, SHA-512's.
pub(crate) const DIGEST_MAX: usize = 64;

/// A digest that is being computed.
///
/// # Invariants
///
/// The pointer is a `shash_desc` that was initialised and belongs to this value.
pub(crate) struct Digest(NonNull<c_void>);

// SAFETY: The descriptor is bound to no task.
unsafe impl Send for Digest {}

impl Digest {
    /// Begins a digest of this algorithm; none if the kernel does not have it, or no memory.
    pub(crate) fn new(algorithm: &CStr) -> Option<Self> {
        // SAFETY: The name is valid for the call.
        let digest = unsafe { bindings::rust_kexec_digest_new(algorithm.as_char_ptr()) };
        // INVARIANT: The callee returns an initialised descriptor or null.
        NonNull::new(digest).map(Self)
    }

    /// Takes `bytes` in.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Result {
        // The callee's length has 32 bits.
        for part in bytes.chunks(1 << 30) {
            // SAFETY: By the type's invariant; `part` is readable.
            let result = unsafe {
                bindings::rust_kexec_digest_update(
                    self.0.as_ptr(),
                    part.as_ptr(),
                    part.len() as c_uint,
                )
            };
            to_result(result)?;
        }
        Ok(())
    }

    /// Writes the digest to `out`, which has to have its length, and begins the next one.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result {
        // SAFETY: By the type's invariant; the callee checks the length.
        to_result(unsafe {
            bindings::rust_kexec_digest_final(
                self.0.as_ptr(),
                out.as_mut_ptr(),
                out.len() as c_uint,
            )
        })
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rust_kexec_digest_free(self.0.as_ptr()) }
    }
}
