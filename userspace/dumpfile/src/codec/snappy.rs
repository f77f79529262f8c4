// SPDX-License-Identifier: GPL-2.0

//! snappy, without its framing.

use snap::raw::{
    decompress_len,
    max_compress_len,
    Decoder,
    Encoder, //
};

use super::compressor::{
    room,
    Compressor, //
};

/// A compressor that is used for page after page.
pub struct Snappy(Encoder);

impl Snappy {
    pub fn new(page_len: usize) -> Self {
        debug_assert!(max_compress_len(page_len) <= room(page_len));
        Self(Encoder::new())
    }
}

impl Compressor for Snappy {
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize> {
        let len = self.0.compress(page, out).ok()?;
        (len < page.len()).then_some(len)
    }
}

/// Unpacks a page of exactly this length. Whether it was one.
pub fn decompress(bytes: &[u8], page: &mut [u8]) -> bool {
    decompress_len(bytes).is_ok_and(|len| len == page.len())
        && Decoder::new().decompress(bytes, page).is_ok()
}
