// SPDX-License-Identifier: GPL-2.0

//! Decompressors for `kexec_core::image::unpack`.

use std::io::Read;

use flate2::read::GzDecoder;
use kexec_core::image::compressed::{
    Compressed, CompressedError, Compression, DECOMPRESSED_LEN_MAX,
};
use kexec_core::image::unpack::{Decompressed, Step, Unpack, UnpackError};
use ruzstd::decoding::StreamingDecoder;

/// Unpacks until there is a kernel.
pub fn unpack<'a>(
    unpack: &mut Unpack<'a>,
    memory: &'a Decompressed<Vec<u8>>,
) -> Result<(), UnpackError> {
    while unpack.step(memory, |compressed| {
        decompress(compressed).map_err(UnpackError::from)
    })? == Step::Decompressed
    {}
    Ok(())
}

fn decompress(compressed: &Compressed<'_>) -> Result<Vec<u8>, CompressedError> {
    let compression = compressed.compression();
    let damaged = |_| CompressedError::Damaged { compression };
    // One byte more tells that there is more.
    let limit = compressed.decompressed_len();
    let limit = limit.unwrap_or(DECOMPRESSED_LEN_MAX) + 1;
    let mut out = Vec::new();
    match compression {
        Compression::Gzip => GzDecoder::new(compressed.bytes())
            .take(limit)
            .read_to_end(&mut out)
            .map_err(damaged)?,
        Compression::Zstd => StreamingDecoder::new(compressed.bytes())
            .map_err(|_| CompressedError::Damaged { compression })?
            .take(limit)
            .read_to_end(&mut out)
            .map_err(damaged)?,
    };
    Ok(out)
}
