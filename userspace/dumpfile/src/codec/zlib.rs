// SPDX-License-Identifier: GPL-2.0

//! zlib, by libdeflate, which is faster than zlib and makes pages smaller.

use libdeflater::{
    CompressionLvl,
    Decompressor, //
};

use super::compressor::Compressor;

/// A compressor that is used for page after page.
pub struct Zlib(libdeflater::Compressor);

impl Zlib {
    pub fn new(level: i32) -> Self {
        let level = CompressionLvl::new(level).unwrap_or(CompressionLvl::fastest());
        Self(libdeflater::Compressor::new(level))
    }
}

impl Compressor for Zlib {
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize> {
        // All of the room is given, although a page that does not shrink is of no use: see `room`.
        let len = self.0.zlib_compress(page, out).ok()?;
        (len < page.len()).then_some(len)
    }
}

/// Unpacks a page of exactly this length. Whether it was one.
pub fn decompress(context: &mut Decompressor, bytes: &[u8], page: &mut [u8]) -> bool {
    context
        .zlib_decompress(bytes, page)
        .is_ok_and(|len| len == page.len())
}
