// SPDX-License-Identifier: GPL-2.0

//! SHA-256 by the kernel's library.

use kernel::ffi::c_uint;

extern "C" {
    fn rust_kexec_sha256(data: *const u8, len: c_uint, out: *mut u8);
}

/// The digest of `bytes`, or none if there are more than 4 GiB.
pub(crate) fn digest(bytes: &[u8]) -> Option<[u8; 32]> {
    let len = c_uint::try_from(bytes.len()).ok()?;
    let mut digest = [0; 32];
    // SAFETY: `bytes` is readable for `len` bytes, `digest` has room for a SHA-256.
    unsafe { rust_kexec_sha256(bytes.as_ptr(), len, digest.as_mut_ptr()) };
    Some(digest)
}
