// SPDX-License-Identifier: GPL-2.0

//! Decompression by the kernel's own code.

use super::bindings;
use crate::compat::prelude::*;
use kernel::error::Error;
use kernel::ffi::{c_int, c_uint};
use kexec_core::image::compressed::{Compressed, Compression};

/// Decompresses `from` to `out` and returns how many bytes that are.
///
/// # Errors
///
/// ENOPKG without the kernel's code for it, ENOSPC if `out` is too short, EINVAL if the data are
/// damaged.
pub(crate) fn decompress(from: &Compressed<'_>, out: &mut [u8]) -> Result<usize> {
    let data = from.data();
    let result = match from.compression() {
        Compression::Gzip => {
            let capacity = c_uint::try_from(out.len()).map_err(|_| EINVAL)?;
            let len = c_uint::try_from(data.len()).map_err(|_| EINVAL)?;
            // SAFETY: Both slices have these lengths.
            let result = unsafe {
                bindings::rust_kexec_inflate(out.as_mut_ptr(), capacity, data.as_ptr(), len)
            };
            result as isize
        }
        // SAFETY: Both slices have these lengths.
        Compression::Zstd => unsafe {
            bindings::rust_kexec_unzstd(out.as_mut_ptr(), out.len(), data.as_ptr(), data.len())
        },
    };
    let len = usize::try_from(result).map_err(|_| Error::from_errno(result as c_int))?;
    let whole = out.get(..len).ok_or(EINVAL)?;
    let fits = from.crc32().map_or(true, |expected| {
        // SAFETY: The slice has this length.
        unsafe { bindings::rust_kexec_crc32_fits(whole.as_ptr(), whole.len(), expected) }
    });
    match fits {
        true => Ok(len),
        false => Err(EINVAL),
    }
}
