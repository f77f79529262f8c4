// SPDX-License-Identifier: GPL-2.0

//! Known values from a seed: the SplitMix64 generator, which any language can repeat in five
//! lines.

/// The SplitMix64 stream of a seed, without end.
///
/// With all arithmetic modulo 2^64, number `i` (from 0) of the stream is
///
/// ```text
/// z = seed + (i + 1) * 0x9e3779b97f4a7c15
/// z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
/// z = (z ^ (z >> 27)) * 0x94d049bb133111eb
/// z ^ (z >> 31)
/// ```
///
/// Every step can be undone, so the numbers of one stream are all different.
///
/// ```
/// use guest::splitmix::SplitMix64;
///
/// let page: Vec<u64> = SplitMix64::new(7).take(512).collect();
/// let again = SplitMix64::new(7).zip(&page);
/// assert!(again.take(512).all(|(known, found)| known == *found));
/// ```
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The stream that starts at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }
}

impl Iterator for SplitMix64 {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ (z >> 31))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation (Sebastiano Vigna, splitmix64.c).
    #[test]
    fn the_stream_is_the_published_one() {
        let stream: Vec<u64> = SplitMix64::new(1_234_567).take(5).collect();
        assert_eq!(
            stream,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
        assert_eq!(SplitMix64::new(0).next(), Some(0xe220_a839_7b1d_cdaf));
    }
}
