// SPDX-License-Identifier: GPL-2.0

//! zlib, by libdeflate, which is faster than zlib and makes pages smaller.

use libdeflater::{
    CompressionLvl,
    Decompressor, //
};

use super::{
    compressor::Compressor,
    periodic::ByPeriod, //
};

/// The level at which time counts.
pub const DEFAULT_LEVEL: i32 = 1;

/// The first of libdeflate's levels that looks one byte further before it takes a match.
const LAZY: i32 = 5;

/// A page is periodic for zlib if half of it repeats: fewer repetitions do not pay for the time.
const PERIODIC_ONE_IN: usize = 2;

/// Compressors that are used for page after page, two at the default level.
pub struct Zlib(ByPeriod<libdeflater::Compressor>);

impl Zlib {
    pub fn new(level: i32) -> Self {
        // Where most is like what was 64 bytes earlier, the first match that is found ends where the next
        // structure differs. The one after it is often longer: such pages become a quarter shorter, in
        // little more time.
        let periodic = (level == DEFAULT_LEVEL).then(|| compressor(LAZY));
        Self(ByPeriod::new(compressor(level), periodic, PERIODIC_ONE_IN))
    }
}

fn compressor(level: i32) -> libdeflater::Compressor {
    let level = CompressionLvl::new(level).unwrap_or(CompressionLvl::fastest());
    libdeflater::Compressor::new(level)
}

impl Compressor for Zlib {
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize> {
        // All of the room is given, although a page that does not shrink is of no use: see `room`.
        let len = self.0.of(page).zlib_compress(page, out).ok()?;
        (len < page.len()).then_some(len)
    }
}

/// Unpacks a page of exactly this length. Whether it was one.
pub fn decompress(context: &mut Decompressor, bytes: &[u8], page: &mut [u8]) -> bool {
    context
        .zlib_decompress(bytes, page)
        .is_ok_and(|len| len == page.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::is_periodic;

    #[test]
    fn structures_become_shorter_than_by_the_level_alone() {
        // As page structs are: a few words that differ, among many that are the same.
        let page: Vec<u8> = (0..64_u64)
            .flat_map(|at| {
                let next = 0xffff_ea00_0000_0008 + at.wrapping_mul(0x9e37_79b9) % 0x1000 * 64;
                let uses = [
                    0x0017_ffff_c000_0000,
                    next,
                    next + 0x40,
                    0,
                    at * 7 % 5,
                    0,
                    1,
                    0,
                ];
                uses.into_iter().flat_map(u64::to_le_bytes)
            })
            .collect();
        assert!(is_periodic(&page, PERIODIC_ONE_IN));
        let mut out = vec![0; crate::codec::room(page.len())];
        let alone = compressor(DEFAULT_LEVEL)
            .zlib_compress(&page, &mut out)
            .unwrap();
        let len = Zlib::new(DEFAULT_LEVEL).compress(&page, &mut out).unwrap();
        assert!(
            len * 10 < alone * 9,
            "{len} bytes, and {alone} by the level alone"
        );
        let mut unpacked = vec![0; page.len()];
        assert!(decompress(
            &mut Decompressor::new(),
            &out[..len],
            &mut unpacked
        ));
        assert_eq!(unpacked, page);
    }
}
