// SPDX-License-Identifier: GPL-2.0

//! PKCS#7 messages, checked against the kernel's keyrings.

use super::bindings;
use core::ptr;
use kernel::ffi::{c_int, c_void};
use kexec_core::signature::KeyringError;

/// What a message says to which it was checked; the callee's last word is its result.
struct View<'a, T> {
    of: &'a mut dyn FnMut(&[u8]) -> T,
    answer: Option<T>,
}

/// Checks that `message` is a good signature of `data` by a trusted key.
pub(crate) fn verify_detached(data: &[u8], message: &[u8]) -> Result<(), KeyringError> {
    // SAFETY: Both slices are readable; without a view the context is not used.
    let result = unsafe {
        bindings::rust_kexec_verify_pkcs7(
            data.as_ptr().cast(),
            data.len(),
            message.as_ptr().cast(),
            message.len(),
            None,
            ptr::null_mut(),
        )
    };
    checked(result)
}

/// Checks that `message`, which is from an EFI program, is a good signature of its own contents by
/// a trusted key, and returns what `of` makes of the contents, an `SpcIndirectDataContent`.
pub(crate) fn verify_contents<T>(
    message: &[u8],
    of: &mut dyn FnMut(&[u8]) -> T,
) -> Result<T, KeyringError> {
    let mut view = View { of, answer: None };
    // SAFETY: The message is readable, and `viewed` gets the view of its own type.
    let result = unsafe {
        bindings::rust_kexec_verify_pkcs7(
            ptr::null(),
            0,
            message.as_ptr().cast(),
            message.len(),
            Some(viewed::<T>),
            ptr::from_mut(&mut view).cast(),
        )
    };
    checked(result)?;
    view.answer.ok_or(KeyringError::Malformed)
}

/// Whether the file with this SHA-256 is on the `.blacklist` keyring, which has what firmware's dbx
/// lists.
pub(crate) fn is_revoked(sha256: &[u8]) -> bool {
    // SAFETY: The slice has this length.
    unsafe { bindings::rust_kexec_is_binary_blacklisted(sha256.as_ptr(), sha256.len()) }
}

fn checked(result: c_int) -> Result<(), KeyringError> {
    match result {
        0 => Ok(()),
        error => Err(KeyringError::from_errno(-error)),
    }
}

/// # Safety
///
/// `context` must point to a `View<T>` that nobody else uses, and `header` bytes in front of
/// `content` must be readable as well as its `len` bytes.
unsafe extern "C" fn viewed<T>(
    context: *mut c_void,
    content: *const c_void,
    len: usize,
    header: usize,
) -> c_int {
    // SAFETY: By this function's contract.
    let view = unsafe { &mut *context.cast::<View<'_, T>>() };
    // SAFETY: By this function's contract: the header lies right in front of the contents.
    let bytes = unsafe {
        core::slice::from_raw_parts(content.cast::<u8>().sub(header), len.saturating_add(header))
    };
    view.answer = Some((view.of)(bytes));
    0
}
