// SPDX-License-Identifier: GPL-2.0

//! Bytes as the words that a CPU reads at once.

use kexec_core::types::digest::Stripe;

/// `bytes` as aligned words, and the bytes that are left after them: all of them, if the first one is
/// not aligned.
pub(crate) fn stripes(bytes: &[u8]) -> (&[Stripe], &[u8]) {
    // SAFETY: Any bytes make numbers.
    match unsafe { bytes.align_to() } {
        ([], stripes, rest) => (stripes, rest),
        _ => (&[], bytes),
    }
}
