// SPDX-License-Identifier: GPL-2.0

//! zstd, as one frame for each page.

use zstd_safe::{
    CCtx,
    CParameter,
    DCtx,
    ParamSwitch,
    Strategy, //
};

use super::{
    compressor::Compressor,
    periodic::ByPeriod, //
};

/// A page is periodic for zstd if an eighth of it repeats. Machine code and text repeat less, and are what
/// a code for the bytes in no match is for.
const PERIODIC_ONE_IN: usize = 8;

/// Contexts that are used for page after page, two at the level at which time counts.
pub struct Zstd(ByPeriod<CCtx<'static>>);

impl Zstd {
    pub fn new(level: i32) -> Self {
        // Where much is in matches, looking for them twice as well and leaving the rest without a code takes
        // half the time, and the page is no longer.
        let periodic = [
            CParameter::Strategy(Strategy::ZSTD_dfast),
            CParameter::MinMatch(4),
            CParameter::LiteralCompressionMode(ParamSwitch::Disable),
        ];
        let periodic = (level == 1).then(|| context(level, &periodic));
        Self(ByPeriod::new(
            context(level, &[]),
            periodic,
            PERIODIC_ONE_IN,
        ))
    }
}

/// A context of this level, but for some parameters.
fn context(level: i32, parameters: &[CParameter]) -> CCtx<'static> {
    let mut context = CCtx::create();
    let common = [
        CParameter::CompressionLevel(level),
        // Readers know a page's length.
        CParameter::ContentSizeFlag(false),
        CParameter::ChecksumFlag(false),
    ];
    for parameter in common.iter().chain(parameters) {
        context
            .set_parameter(*parameter)
            .expect("each zstd has these parameters");
    }
    context
}

impl Compressor for Zstd {
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize> {
        // It gives up as soon as the page turns out not to become shorter.
        let room = &mut out[..page.len() - 1];
        self.0.of(page).compress2(room, page).ok()
    }
}

/// Unpacks a page of exactly this length. Whether it was one.
pub fn decompress(context: &mut DCtx<'_>, bytes: &[u8], page: &mut [u8]) -> bool {
    let len = page.len();
    context
        .decompress(page, bytes)
        .is_ok_and(|unpacked| unpacked == len)
}
