// SPDX-License-Identifier: GPL-2.0

//! zstd, as one frame for each page.

use zstd_safe::{
    CCtx,
    CParameter,
    DCtx, //
};

use super::Compressor;

/// A context that is used for page after page.
pub struct Zstd(CCtx<'static>);

impl Zstd {
    pub fn new(level: i32) -> Self {
        let mut context = CCtx::create();
        for parameter in [
            CParameter::CompressionLevel(level),
            // Readers know a page's length, and its manifest checks it.
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(false),
        ] {
            context
                .set_parameter(parameter)
                .expect("each zstd has these parameters");
        }
        Self(context)
    }
}

impl Compressor for Zstd {
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize> {
        // It gives up as soon as the page turns out not to become shorter.
        let room = &mut out[..page.len() - 1];
        self.0.compress2(room, page).ok()
    }
}

/// Unpacks a page of exactly this length. Whether it was one.
pub fn decompress(context: &mut DCtx<'_>, bytes: &[u8], page: &mut [u8]) -> bool {
    let len = page.len();
    context
        .decompress(page, bytes)
        .is_ok_and(|unpacked| unpacked == len)
}
