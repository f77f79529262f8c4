// SPDX-License-Identifier: GPL-2.0

//! The digests of segments, compared with the xxhash-rust crate's.

use kexec_core::types::digest::{
    xxh64,
    xxh64_of_equal,
    Algorithm,
    Stripe, //
};
use proptest::prelude::*;

fn expected(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&xxhash_rust::xxh64::xxh64(bytes, 0).to_be_bytes());
    digest
}

#[test]
fn xxh64_of_every_length_of_tail() {
    let bytes: Vec<u8> = (0..200_u32).map(|index| (index * 151) as u8).collect();
    for len in 0..bytes.len() {
        assert_eq!(xxh64(&[], &bytes[..len]), expected(&bytes[..len]), "{len}");
    }
}

proptest! {
    #[test]
    fn xxh64_is_xxh64(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert_eq!(xxh64(&[], &bytes), expected(&bytes));
    }

    #[test]
    fn stripes_come_before_bytes(
        stripes in prop::collection::vec(any::<Stripe>(), 0..50),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut all: Vec<u8> = stripes.iter().flatten().flat_map(|word| word.to_ne_bytes()).collect();
        all.extend(&bytes);
        prop_assert_eq!(xxh64(&stripes, &bytes), expected(&all));
    }

    #[test]
    fn only_equal_stripes_have_a_digest(
        stripes in prop::collection::vec(any::<Stripe>(), 1..50),
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        place in any::<prop::sample::Index>(),
        bit in 0..256_usize,
    ) {
        let mut copies = stripes.clone();
        prop_assert_eq!(xxh64_of_equal(&stripes, &copies, &bytes), Some(xxh64(&stripes, &bytes)));
        place.get_mut(&mut copies)[bit / 64] ^= 1 << (bit % 64);
        prop_assert_eq!(xxh64_of_equal(&stripes, &copies, &bytes), None);
        prop_assert_eq!(xxh64_of_equal(&stripes, &stripes[1..], &bytes), None);
    }

    #[test]
    fn a_changed_bit_changes_the_digest(
        mut bytes in prop::collection::vec(any::<u8>(), 1..5000),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let before = xxh64(&[], &bytes);
        *place.get_mut(&mut bytes) ^= 1 << bit;
        prop_assert_ne!(xxh64(&[], &bytes), before);
    }
}

#[test]
fn algorithms_have_numbers_of_their_own() {
    for (index, algorithm) in Algorithm::ALL.into_iter().enumerate() {
        assert_eq!(algorithm as usize, index + 1);
        assert_eq!(Algorithm::from_number(algorithm as u32), Some(algorithm));
    }
    for number in [0, Algorithm::ALL.len() as u32 + 1, u32::MAX] {
        assert_eq!(Algorithm::from_number(number), None);
    }
}
