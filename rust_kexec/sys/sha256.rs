// SPDX-License-Identifier: GPL-2.0

//! SHA-256, which cannot fail.

use super::bindings;
use crate::sys::digest::Digest;
use kernel::ffi::c_uint;

/// Computes SHA-256 digests: by the crypto interface, or where the kernel was built without it by
/// its library, which is slower in older kernels.
pub(crate) struct Sha256(Option<Digest>);

impl Sha256 {
    /// Chooses the faster way that is there.
    pub(crate) fn new() -> Self {
        Self(Digest::new(c"sha256"))
    }

    /// The digest of `bytes`, or none if there are more than 4 GiB.
    pub(crate) fn digest(&mut self, bytes: &[u8]) -> Option<[u8; 32]> {
        let len = c_uint::try_from(bytes.len()).ok()?;
        let mut out = [0; 32];
        if let Some(digest) = &mut self.0 {
            if digest.update(bytes).is_ok() && digest.finish(&mut out).is_ok() {
                return Some(out);
            }
            // A failed update leaves a state that is of no use.
            self.0 = None;
        }
        // SAFETY: `bytes` is readable for `len` bytes, `out` has room for a SHA-256.
        unsafe { bindings::rust_kexec_sha256(bytes.as_ptr(), len, out.as_mut_ptr()) };
        Some(out)
    }
}
