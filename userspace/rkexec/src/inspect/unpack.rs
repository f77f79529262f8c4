// SPDX-License-Identifier: GPL-2.0

//! Decompressors for `kexec_core::image::unpack`.

use std::io::Read;

use flate2::read::GzDecoder;
use kexec_core::image::{
    compressed::{
        Compressed,
        CompressedError,
        Compression,
        DECOMPRESSED_LEN_MAX, //
    },
    unpack::{
        Decompressed,
        Inner,
        Step,
        Unpack,
        UnpackError, //
    }, //
};
use ruzstd::decoding::StreamingDecoder;
use xz4rust::{
    XzDecoder,
    DICT_SIZE_MIN, //
};

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

/// Decompresses the kernel that is in a bzImage.
pub fn inner<'a>(
    unpack: &Unpack<'a>,
    memory: &'a Decompressed<Vec<u8>>,
) -> Result<Inner<'a>, UnpackError> {
    unpack.inner(memory, |compressed| Ok(Ok(decompress(compressed)?)))
}

fn decompress(compressed: &Compressed<'_>) -> Result<Vec<u8>, CompressedError> {
    let compression = compressed.compression();
    let damaged = CompressedError::Damaged { compression };
    let len = compressed.decompressed_len();
    // One byte more tells that there is more.
    let limit = len.unwrap_or(DECOMPRESSED_LEN_MAX) + 1;
    let mut out = Vec::new();
    match compression {
        Compression::Gzip => GzDecoder::new(compressed.bytes())
            .take(limit)
            .read_to_end(&mut out)
            .map(|_| ())
            .map_err(|_| damaged)?,
        Compression::Zstd => {
            let mut decoder = StreamingDecoder::new(compressed.bytes()).map_err(|_| damaged)?;
            let mut part = (&mut decoder).take(limit);
            part.read_to_end(&mut out).map_err(|_| damaged)?;
            let frame = &decoder.decoder;
            let expected = frame.get_checksum_from_data();
            // Of what is too long not all was read.
            let is_whole = (out.len() as u64) < limit;
            if is_whole && expected.is_some() && expected != frame.get_calculated_checksum() {
                return Err(damaged);
            }
        }
        // These come with their length.
        Compression::Xz | Compression::Lz4 | Compression::Lzo => {
            out.resize(limit as usize, 0);
            let len = match compression {
                Compression::Xz => unxz(compressed.data(), &mut out),
                Compression::Lz4 => compressed.decompress_blocks(&mut out, |block, out| {
                    lz4_flex::block::decompress_into(block, out).ok()
                }),
                _ => compressed.decompress_blocks(&mut out, |block, out| {
                    lzo1x::decompress(block, out).ok().map(|()| out.len())
                }),
            };
            out.truncate(len.ok_or(damaged)?);
        }
    }
    Ok(out)
}

/// Decompresses an xz stream to the start of `out`, and returns the length.
fn unxz(data: &[u8], out: &mut [u8]) -> Option<usize> {
    // No part of the dictionary is farther away than the start.
    let mut decoder = XzDecoder::with_alloc_dict_size(DICT_SIZE_MIN, DECOMPRESSED_LEN_MAX as usize);
    let (mut read, mut written) = (0, 0);
    loop {
        let result = decoder.decode(&data[read..], &mut out[written..]).ok()?;
        read += result.input_consumed();
        written += result.output_produced();
        if result.is_end_of_stream() {
            return Some(written);
        }
        if !result.made_progress() {
            return None;
        }
    }
}
