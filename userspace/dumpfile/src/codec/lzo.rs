// SPDX-License-Identifier: GPL-2.0

//! lzo1x.

use lzo1x::CompressLevel;

use super::compressor::Compressor;

/// A compressor of this level.
pub struct Lzo(CompressLevel);

impl Lzo {
    pub fn new(level: i32) -> Self {
        // The caller's level is one that there is.
        Self(CompressLevel::new(level as u8))
    }
}

impl Compressor for Lzo {
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize> {
        let packed = lzo1x::compress(page, self.0);
        if packed.len() >= page.len() {
            return None;
        }
        out[..packed.len()].copy_from_slice(&packed);
        Some(packed.len())
    }
}

/// Unpacks a page of exactly this length. Whether it was one.
pub fn decompress(bytes: &[u8], page: &mut [u8]) -> bool {
    lzo1x::decompress(bytes, page).is_ok()
}
