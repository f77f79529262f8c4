// SPDX-License-Identifier: GPL-2.0

//! Decompression by the kernel's own code.

use super::bindings;
use crate::compat::prelude::*;
use kernel::{
    error::Error,
    ffi::{
        c_int,
        c_uint, //
    }, //
};
use kexec_core::image::compressed::{
    Compressed,
    Compression, //
};

/// Decompresses `from` to `out` and returns how many bytes that are.
///
/// # Errors
///
/// ENOPKG without the kernel's code for it, EINVAL if the data are damaged, ENOSPC if `out` is too
/// short, which only zstd tells from damage.
pub(crate) fn decompress(from: &Compressed<'_>, out: &mut [u8]) -> Result<usize> {
    let len = match from.compression() {
        Compression::Gzip => inflate(from.data(), out),
        Compression::Zstd => unzstd(from.data(), out),
        Compression::Xz => unxz(from.data(), out),
        Compression::Lz4 => unlz4(from, out),
        Compression::Lzo => unlzo(from, out),
    }?;
    let whole = out.get(..len).ok_or(EINVAL)?;
    match from.crc32() {
        Some(expected) if crc32(whole).is_some_and(|found| found != expected) => Err(EINVAL),
        _ => Ok(len),
    }
}

#[cfg(CONFIG_ZLIB_INFLATE)]
fn inflate(data: &[u8], out: &mut [u8]) -> Result<usize> {
    let capacity = c_uint::try_from(out.len()).map_err(|_| EINVAL)?;
    let len = c_uint::try_from(data.len()).map_err(|_| EINVAL)?;
    // SAFETY: Both slices have these lengths.
    let result = unsafe {
        bindings::zlib_inflate_blob(out.as_mut_ptr().cast(), capacity, data.as_ptr().cast(), len)
    };
    usize::try_from(result).map_err(|_| Error::from_errno(result))
}

#[cfg(not(CONFIG_ZLIB_INFLATE))]
fn inflate(_data: &[u8], _out: &mut [u8]) -> Result<usize> {
    Err(not_there())
}

#[cfg(CONFIG_ZSTD_DECOMPRESS)]
fn unzstd(data: &[u8], out: &mut [u8]) -> Result<usize> {
    // SAFETY: Returns a constant.
    let workspace_len = unsafe { bindings::zstd_dctx_workspace_bound() };
    let mut workspace = VVec::<u8>::with_capacity(workspace_len, GFP_KERNEL)?;
    // SAFETY: The workspace has this length, and vmalloc() aligns it to a page.
    let context = unsafe { bindings::zstd_init_dctx(workspace.as_mut_ptr().cast(), workspace_len) };
    if context.is_null() {
        return Err(EINVAL);
    }
    // SAFETY: The context lives in the workspace, and both slices have these lengths.
    let result = unsafe {
        bindings::zstd_decompress_dctx(
            context,
            out.as_mut_ptr().cast(),
            out.len(),
            data.as_ptr().cast(),
            data.len(),
        )
    };
    // SAFETY: Both look at a number.
    let error = unsafe {
        (bindings::zstd_is_error(result) != 0).then(|| bindings::zstd_get_error_code(result))
    };
    match error {
        None => Ok(result),
        Some(bindings::ZSTD_ErrorCode_ZSTD_error_dstSize_tooSmall) => Err(ENOSPC),
        Some(_) => Err(EINVAL),
    }
}

#[cfg(not(CONFIG_ZSTD_DECOMPRESS))]
fn unzstd(_data: &[u8], _out: &mut [u8]) -> Result<usize> {
    Err(not_there())
}

// The following is asked for only where it is built into the kernel. Otherwise this module could not be
// loaded before one that has the code, and most capture kernels have no use for it.

#[cfg(CONFIG_XZ_DEC = "y")]
fn unxz(data: &[u8], out: &mut [u8]) -> Result<usize> {
    // SAFETY: Allocates. With XZ_SINGLE the output is the dictionary.
    let decoder = unsafe { bindings::xz_dec_init(bindings::xz_mode_XZ_SINGLE, 0) };
    if decoder.is_null() {
        return Err(ENOMEM);
    }
    let mut buffers = bindings::xz_buf {
        in_: data.as_ptr(),
        in_pos: 0,
        in_size: data.len(),
        out: out.as_mut_ptr(),
        out_pos: 0,
        out_size: out.len(),
    };
    // SAFETY: The decoder is ours, and both buffers have these lengths.
    let result = unsafe { bindings::xz_dec_run(decoder, &mut buffers) };
    // SAFETY: Nobody else has the decoder.
    unsafe { bindings::xz_dec_end(decoder) };
    match result {
        bindings::xz_ret_XZ_STREAM_END => Ok(buffers.out_pos),
        // A filter, or a kind of checksum. The header that names it has a checksum of its own.
        bindings::xz_ret_XZ_OPTIONS_ERROR => Err(not_there()),
        _ => Err(EINVAL),
    }
}

#[cfg(not(CONFIG_XZ_DEC = "y"))]
fn unxz(_data: &[u8], _out: &mut [u8]) -> Result<usize> {
    Err(not_there())
}

#[cfg(CONFIG_LZ4_DECOMPRESS = "y")]
fn unlz4(from: &Compressed<'_>, out: &mut [u8]) -> Result<usize> {
    let decompress = |block: &[u8], out: &mut [u8]| {
        let len = c_int::try_from(block.len()).ok()?;
        let capacity = c_int::try_from(out.len()).ok()?;
        // SAFETY: Both slices have these lengths.
        let result = unsafe {
            bindings::LZ4_decompress_safe(
                block.as_ptr().cast(),
                out.as_mut_ptr().cast(),
                len,
                capacity,
            )
        };
        usize::try_from(result).ok()
    };
    from.decompress_blocks(out, decompress).ok_or(EINVAL)
}

#[cfg(not(CONFIG_LZ4_DECOMPRESS = "y"))]
fn unlz4(_from: &Compressed<'_>, _out: &mut [u8]) -> Result<usize> {
    Err(not_there())
}

#[cfg(CONFIG_LZO_DECOMPRESS = "y")]
fn unlzo(from: &Compressed<'_>, out: &mut [u8]) -> Result<usize> {
    let decompress = |block: &[u8], out: &mut [u8]| {
        let mut len = out.len();
        // SAFETY: Both slices have these lengths.
        let result = unsafe {
            bindings::lzo1x_decompress_safe(block.as_ptr(), block.len(), out.as_mut_ptr(), &mut len)
        };
        (result == bindings::LZO_E_OK as c_int).then_some(len)
    };
    from.decompress_blocks(out, decompress).ok_or(EINVAL)
}

#[cfg(not(CONFIG_LZO_DECOMPRESS = "y"))]
fn unlzo(_from: &Compressed<'_>, _out: &mut [u8]) -> Result<usize> {
    Err(not_there())
}

/// The CRC-32 of gzip; none where the kernel cannot compute it.
fn crc32(bytes: &[u8]) -> Option<u32> {
    #[cfg(CONFIG_CRC32)]
    // SAFETY: The slice has this length.
    return Some(!unsafe { bindings::crc32_le(!0, bytes.as_ptr().cast(), bytes.len()) });
    #[cfg(not(CONFIG_CRC32))]
    {
        let _ = bytes;
        None
    }
}

/// The kernel was built without the code for this.
fn not_there() -> Error {
    Error::from_errno(-(bindings::ENOPKG as i32))
}
