// SPDX-License-Identifier: GPL-2.0

//! Random numbers that `RUST_KEXEC_FLIP_SEED` replays.

use std::time::{
    SystemTime,
    UNIX_EPOCH, //
};

/// SplitMix64.
pub struct Random(u64);

impl Random {
    pub fn seeded() -> Self {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let given = std::env::var("RUST_KEXEC_FLIP_SEED").ok();
        let seed = given.map_or_else(|| now().as_nanos() as u64, |seed| seed.parse().unwrap());
        println!("RUST_KEXEC_FLIP_SEED={seed}");
        Self(seed)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}
