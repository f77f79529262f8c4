// SPDX-License-Identifier: GPL-2.0

//! PKCS#7 messages, checked against the kernel's keyrings.

use super::bindings;
use core::ptr;
use kernel::ffi::{
    c_int,
    c_void, //
};
use kexec_core::signature::KeyringError;

/// A function that looks at a message's contents, and its answer.
struct View<'a, T> {
    of: &'a mut dyn FnMut(&[u8]) -> T,
    answer: Option<T>,
}

/// Checks that `message` is a good signature of `data` by a trusted key.
pub(crate) fn verify_detached(data: &[u8], message: &[u8]) -> Result<(), KeyringError> {
    // SAFETY: `data` is readable; without a view the context is not used.
    unsafe { verify(data.as_ptr(), data.len(), message, None, ptr::null_mut()) }
}

/// Checks that `message`, which is from an EFI program, is a good signature of its own contents by
/// a trusted key, and returns what `of` makes of the contents, an `SpcIndirectDataContent`.
pub(crate) fn verify_contents<T>(
    message: &[u8],
    of: &mut dyn FnMut(&[u8]) -> T,
) -> Result<T, KeyringError> {
    let mut view = View { of, answer: None };
    let context = ptr::from_mut(&mut view).cast();
    // SAFETY: Without data the message's own contents are meant, and `viewed` gets the view of its own
    // type.
    unsafe { verify(ptr::null(), 0, message, Some(viewed::<T>), context) }?;
    view.answer.ok_or(KeyringError::Malformed)
}

/// Whether the file with this SHA-256 is on the `.blacklist` keyring, which has what firmware's dbx
/// lists.
pub(crate) fn is_revoked(sha256: &[u8]) -> bool {
    #[cfg(CONFIG_SYSTEM_BLACKLIST_KEYRING)]
    // SAFETY: The slice has this length.
    return unsafe { bindings::is_binary_blacklisted(sha256.as_ptr(), sha256.len()) } != 0;
    #[cfg(not(CONFIG_SYSTEM_BLACKLIST_KEYRING))]
    {
        let _ = sha256;
        false
    }
}

/// A function that is called with the signed contents of a message.
type ViewContents = unsafe extern "C" fn(*mut c_void, *const c_void, usize, usize) -> c_int;

/// Checks a message by the kernel's trusted keys, and where they have none of its by the platform's,
/// which firmware has handed over: as kexec_kernel_verify_pe_sig() and mod_verify_sig() do.
///
/// # Safety
///
/// `data` must be readable for `len` bytes, or null, and `context` what `view` expects.
#[cfg(CONFIG_SYSTEM_DATA_VERIFICATION)]
unsafe fn verify(
    data: *const u8,
    len: usize,
    message: &[u8],
    view: Option<ViewContents>,
    context: *mut c_void,
) -> Result<(), KeyringError> {
    let usage = match view {
        Some(_) => bindings::key_being_used_for_VERIFYING_KEXEC_PE_SIGNATURE,
        None => bindings::key_being_used_for_VERIFYING_UNSPECIFIED_SIGNATURE,
    };
    // Keyrings that are named by numbers.
    let keyrings = [
        bindings::VERIFY_USE_SECONDARY_KEYRING,
        bindings::VERIFY_USE_PLATFORM_KEYRING,
    ];
    let mut result = 0;
    for keyring in keyrings {
        // SAFETY: By this function's contract; the message is readable in its whole length.
        result = unsafe {
            bindings::verify_pkcs7_signature(
                data.cast(),
                len,
                message.as_ptr().cast(),
                message.len(),
                keyring as *mut bindings::key,
                usage,
                view,
                context,
            )
        };
        if result != -(bindings::ENOKEY as c_int) {
            break;
        }
    }
    match result {
        0 => Ok(()),
        error => Err(KeyringError::from_errno(-error)),
    }
}

/// The kernel cannot check messages.
///
/// # Safety
///
/// There is nothing to heed.
#[cfg(not(CONFIG_SYSTEM_DATA_VERIFICATION))]
unsafe fn verify(
    _data: *const u8,
    _len: usize,
    _message: &[u8],
    _view: Option<ViewContents>,
    _context: *mut c_void,
) -> Result<(), KeyringError> {
    Err(KeyringError::from_errno(bindings::ENOPKG as c_int))
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
