// SPDX-License-Identifier: GPL-2.0

//! Digests by the kernel's crypto interface, which knows the instructions that the CPU has for
//! them.

use super::bindings;
use crate::compat::prelude::*;
use core::{
    ffi::CStr,
    ptr::NonNull, //
};
use kernel::{
    error::{
        from_err_ptr,
        to_result, //
    },
    ffi::c_uint, //
};

/// The longest digest, SHA-512's.
pub(crate) const DIGEST_MAX: usize = 64;

/// One of the kernel's implementations of a digest.
///
/// # Invariants
///
/// The pointer came from crypto_alloc_shash() and belongs to this value.
struct Algorithm(NonNull<bindings::crypto_shash>);

impl Algorithm {
    /// The best one; none if the kernel does not have the algorithm.
    fn find(name: &CStr) -> Option<Self> {
        // SAFETY: The name is valid for the call.
        let found = unsafe { bindings::crypto_alloc_shash(name.as_char_ptr(), 0, 0) };
        // INVARIANT: On success the callee hands the implementation over.
        NonNull::new(from_err_ptr(found).ok()?).map(Self)
    }
}

impl Drop for Algorithm {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::rust_kexec_free_shash(self.0.as_ptr()) }
    }
}

/// A digest that is being computed.
///
/// # Invariants
///
/// `state` is a `shash_desc` of `algorithm` that was initialised, from kmalloc(), and belongs to this
/// value.
pub(crate) struct Digest {
    state: NonNull<bindings::shash_desc>,
    algorithm: Algorithm,
}

// SAFETY: The descriptor is bound to no task.
unsafe impl Send for Digest {}

impl Digest {
    /// Begins a digest of this algorithm; none if the kernel does not have it, or no memory.
    pub(crate) fn new(algorithm: &CStr) -> Option<Self> {
        let algorithm = Algorithm::find(algorithm)?;
        // SAFETY: By the algorithm's invariant.
        let len = unsafe { bindings::rust_kexec_shash_state_len(algorithm.0.as_ptr()) } as usize;
        let len = size_of::<bindings::shash_desc>().checked_add(len)?;
        let memory = KVec::from_elem(0_u8, len, GFP_KERNEL).ok()?;
        let (memory, ..) = memory.into_raw_parts();
        // INVARIANT: The memory is zeroed, and kmalloc() aligns it for everything. `restart` initialises
        // it before the value is used.
        let mut digest = Self {
            state: NonNull::new(memory.cast())?,
            algorithm,
        };
        // SAFETY: The memory is the digest's.
        unsafe { digest.state.as_mut() }.tfm = digest.algorithm.0.as_ptr();
        digest.restart().ok()?;
        Some(digest)
    }

    /// Begins anew.
    fn restart(&mut self) -> Result {
        // SAFETY: By the type's invariant; `tfm` is set.
        to_result(unsafe { bindings::rust_kexec_shash_init(self.state.as_ptr()) })
    }

    /// Takes `bytes` in.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> Result {
        // The callee's length has 32 bits.
        for part in bytes.chunks(1 << 30) {
            let len = part.len() as c_uint;
            // SAFETY: By the type's invariant; `part` is readable.
            to_result(unsafe {
                bindings::rust_kexec_shash_update(self.state.as_ptr(), part.as_ptr(), len)
            })?;
        }
        Ok(())
    }

    /// Writes the digest to `out`, which has to have its length, and begins the next one.
    pub(crate) fn finish(&mut self, out: &mut [u8]) -> Result {
        // SAFETY: By the algorithm's invariant.
        let len = unsafe { bindings::rust_kexec_shash_digest_len(self.algorithm.0.as_ptr()) };
        if out.len() != len as usize {
            return Err(EINVAL);
        }
        // SAFETY: By the type's invariant; `out` has the digest's length.
        to_result(unsafe {
            bindings::rust_kexec_shash_final(self.state.as_ptr(), out.as_mut_ptr())
        })?;
        self.restart()
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant.
        unsafe { bindings::kfree_sensitive(self.state.as_ptr().cast()) }
    }
}
