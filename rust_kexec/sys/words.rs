// SPDX-License-Identifier: GPL-2.0

//! Bytes as the words that a CPU reads at once.

use kexec_core::types::digest::{
    self,
    Stripe,
    DIGEST_LEN, //
};

/// `bytes` as aligned words, and the bytes that are left after them: all of them, if the first one is
/// not aligned.
fn stripes(bytes: &[u8]) -> (&[Stripe], &[u8]) {
    // SAFETY: Any bytes make numbers.
    match unsafe { bytes.align_to() } {
        ([], stripes, rest) => (stripes, rest),
        _ => (&[], bytes),
    }
}

/// XXH64 of `bytes`.
pub(crate) fn xxh64(bytes: &[u8]) -> [u8; DIGEST_LEN] {
    let (stripes, rest) = stripes(bytes);
    digest::xxh64(stripes, rest)
}

/// XXH64 of `bytes`, if `copy` has the same.
pub(crate) fn xxh64_of_equal(bytes: &[u8], copy: &[u8]) -> Option<[u8; DIGEST_LEN]> {
    let (stripes, rest) = stripes(bytes);
    let (copies, rest_of_copy) = self::stripes(copy);
    if stripes.len() != copies.len() {
        // Only one of them is aligned.
        return (bytes == copy).then(|| xxh64(bytes));
    }
    let digest = digest::xxh64_of_equal(stripes, copies, rest)?;
    (rest == rest_of_copy).then_some(digest)
}
