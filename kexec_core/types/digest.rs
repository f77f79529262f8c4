// SPDX-License-Identifier: GPL-2.0

//! Digests, by which the purgatory recognises that a segment changed after the load.
//!
//! The digests lie in the same memory as the segments, so an attacker who can write to one can
//! write to the other. They guard against accidents, such as a stray pointer or a device that still
//! writes. XXH64, the default, misses one accident in 2^64, and is quick on every CPU. SHA-256 is
//! for those who want a cryptographic digest all the same.

use crate::types::bytes;
use core::mem::{
    offset_of,
    size_of,
    size_of_val, //
};

/// Room for a digest, in bytes. A shorter one is followed by zeros.
pub const DIGEST_LEN: usize = 32;

/// The algorithm of a digest. The number is the one in the purgatory's table and in the structures
/// that user space sees.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4).
    Sha256 = 1,
    /// XXH64 with seed 0 (the xxHash specification), in its canonical byte order.
    Xxh64 = 2,
}

impl Algorithm {
    /// Every algorithm, in the order of the numbers.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Xxh64];

    /// The algorithm unless the user asks for another one: the same on every machine.
    pub const DEFAULT: Self = Self::Xxh64;

    /// The algorithm with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Xxh64 => "XXH64",
        }
    }

    /// The length of the digests in bytes.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Xxh64 => 8,
        }
    }
}

/// A range of memory with its digest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Physical address.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// [`crate::uapi::SegmentKind`] as a number, for the message.
    pub kind: u32,
    /// [`Algorithm`] of the digest, as a number.
    pub algorithm: u32,
    /// The range's digest.
    pub digest: [u8; DIGEST_LEN],
}

impl Checked {
    /// Writes the structure to the start of `out`.
    pub(crate) fn encode(&self, out: &mut [u8]) {
        bytes::write(out, offset_of!(Self, start), &self.start.to_le_bytes());
        bytes::write(out, offset_of!(Self, len), &self.len.to_le_bytes());
        bytes::write(out, offset_of!(Self, kind), &self.kind.to_le_bytes());
        bytes::write(
            out,
            offset_of!(Self, algorithm),
            &self.algorithm.to_le_bytes(),
        );
        bytes::write(out, offset_of!(Self, digest), &self.digest);
    }

    /// Reads the structure from the start of `bytes`.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            start: bytes::read_u64(bytes, offset_of!(Self, start))?,
            len: bytes::read_u64(bytes, offset_of!(Self, len))?,
            kind: bytes::read_u32(bytes, offset_of!(Self, kind))?,
            algorithm: bytes::read_u32(bytes, offset_of!(Self, algorithm))?,
            digest: *bytes
                .get(offset_of!(Self, digest)..)?
                .first_chunk::<DIGEST_LEN>()?,
        })
    }
}

const _: () = {
    assert!(size_of::<Checked>() == 56);
    assert!(offset_of!(Checked, digest) == 24);
};

const PRIME_1: u64 = 0x9e37_79b1_85eb_ca87;
const PRIME_2: u64 = 0xc2b2_ae3d_27d4_eb4f;
const PRIME_3: u64 = 0x1656_67b1_9e37_79f9;
const PRIME_4: u64 = 0x85eb_ca77_c2b2_ae63;
const PRIME_5: u64 = 0x27d4_eb2f_1656_67c5;

/// The four words that the lanes take in one round, as they lie in memory.
pub type Stripe = [u64; 4];

const STRIPE_LEN: usize = size_of::<Stripe>();

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(PRIME_2))
        .rotate_left(31)
        .wrapping_mul(PRIME_1)
}

fn scramble(hash: u64, word: u64, rotation: u32, factor: u64, summand: u64) -> u64 {
    (hash ^ word)
        .rotate_left(rotation)
        .wrapping_mul(factor)
        .wrapping_add(summand)
}

fn word(bytes: &[u8], offset: usize) -> u64 {
    bytes::read_u64(bytes, offset).unwrap_or_default()
}

/// XXH64 with seed 0 of `stripes` and then `bytes`. The digest is followed by zeros.
///
/// Stripes are read by aligned words. That is much faster where the compiler must not use unaligned
/// accesses, as in the kernel on arm64.
pub fn xxh64(stripes: &[Stripe], bytes: &[u8]) -> [u8; DIGEST_LEN] {
    let len = size_of_val(stripes).wrapping_add(bytes.len());
    digest(stripes.iter().copied(), len, bytes)
}

/// XXH64 of `stripes` and then `bytes`, if all of `copies` are the same.
///
/// Each word is read once for both.
pub fn xxh64_of_equal(
    stripes: &[Stripe],
    copies: &[Stripe],
    bytes: &[u8],
) -> Option<[u8; DIGEST_LEN]> {
    let mut differences = 0;
    let pairs = stripes.iter().zip(copies);
    let compared = pairs.map(|(&stripe, &[a, b, c, d])| {
        let [i, j, k, l] = stripe;
        differences |= (a ^ i) | (b ^ j) | (c ^ k) | (d ^ l);
        stripe
    });
    let len = size_of_val(stripes).wrapping_add(bytes.len());
    let digest = digest(compared, len, bytes);
    (stripes.len() == copies.len() && differences == 0).then_some(digest)
}

/// XXH64 of `len` bytes in all.
fn digest(stripes: impl Iterator<Item = Stripe>, len: usize, bytes: &[u8]) -> [u8; DIGEST_LEN] {
    let others = bytes.chunks_exact(STRIPE_LEN);
    let rest = others.remainder();
    let mut hash = match len < STRIPE_LEN {
        true => PRIME_5,
        false => {
            let lanes = [
                PRIME_1.wrapping_add(PRIME_2),
                PRIME_2,
                0,
                PRIME_1.wrapping_neg(),
            ];
            let lanes = stripes.fold(lanes, |lanes, stripe| {
                advance(lanes, stripe.map(u64::from_le))
            });
            merge(others.fold(lanes, |lanes, stripe| {
                advance(lanes, [0, 8, 16, 24].map(|offset| word(stripe, offset)))
            }))
        }
    };
    hash = hash.wrapping_add(bytes::to_u64(len));

    let words = rest.chunks_exact(8);
    let half = words.remainder();
    for bytes in words {
        hash = scramble(hash, round(0, word(bytes, 0)), 27, PRIME_1, PRIME_4);
    }
    let tail = match bytes::read_u32(half, 0) {
        Some(number) => {
            let word = u64::from(number).wrapping_mul(PRIME_1);
            hash = scramble(hash, word, 23, PRIME_2, PRIME_3);
            half.get(4..).unwrap_or_default()
        }
        None => half,
    };
    for byte in tail {
        hash = scramble(hash, u64::from(*byte).wrapping_mul(PRIME_5), 11, PRIME_1, 0);
    }

    hash = (hash ^ (hash >> 33)).wrapping_mul(PRIME_2);
    hash = (hash ^ (hash >> 29)).wrapping_mul(PRIME_3);
    let mut digest = [0; DIGEST_LEN];
    bytes::write(&mut digest, 0, &(hash ^ (hash >> 32)).to_be_bytes());
    digest
}

fn advance([a, b, c, d]: [u64; 4], [i, j, k, l]: [u64; 4]) -> [u64; 4] {
    [round(a, i), round(b, j), round(c, k), round(d, l)]
}

/// Makes one number of the four lanes.
fn merge(lanes: [u64; 4]) -> u64 {
    let [a, b, c, d] = lanes;
    let sum = a
        .rotate_left(1)
        .wrapping_add(b.rotate_left(7))
        .wrapping_add(c.rotate_left(12))
        .wrapping_add(d.rotate_left(18));
    lanes.into_iter().fold(sum, |hash, lane| {
        scramble(hash, round(0, lane), 0, PRIME_1, PRIME_4)
    })
}
