// SPDX-License-Identifier: GPL-2.0

//! Memory and decompressors for `kexec_core::image::unpack`.

use std::cell::OnceCell;
use std::io::Read;

use flate2::read::GzDecoder;
use kexec_core::error::Error;
use kexec_core::image::compressed::{
    Compressed, CompressedError, Compression, DECOMPRESSED_LEN_MAX,
};
use kexec_core::image::unpack::{Packed, Step, Unpack, DECOMPRESSIONS_MAX};
use ruzstd::decoding::StreamingDecoder;

/// Decompressed contents, one buffer for each decompression.
#[derive(Default)]
pub struct Buffers([OnceCell<Vec<u8>>; DECOMPRESSIONS_MAX]);

/// Unpacks until there is a kernel.
pub fn unpack<'a>(unpack: &mut Unpack<'a>, buffers: &'a Buffers) -> Result<(), Error> {
    let mut buffers = buffers.0.iter();
    while let Step::Decompress(packed) = unpack.step()? {
        go_on(unpack, packed, &mut buffers)?;
    }
    Ok(())
}

fn go_on<'a>(
    unpack: &mut Unpack<'a>,
    packed: Packed<'a>,
    buffers: &mut impl Iterator<Item = &'a OnceCell<Vec<u8>>>,
) -> Result<(), Error> {
    let decompressed = decompress(packed.compressed())?;
    let buffer = buffers
        .next()
        .expect("there are as many as anything asks for");
    Ok(unpack.go_on(packed, buffer.get_or_init(|| decompressed))?)
}

fn decompress(compressed: &Compressed<'_>) -> Result<Vec<u8>, CompressedError> {
    let compression = compressed.compression();
    let damaged = |_| CompressedError::Damaged { compression };
    // One more byte shows that the contents are too long.
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
