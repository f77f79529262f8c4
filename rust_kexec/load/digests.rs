// SPDX-License-Identifier: GPL-2.0

//! The digests that the purgatory will compare, and which algorithm they are computed with.

use crate::refusal::{FileError, RequestError};
use crate::sys::{clock, sha256::Sha256, words};
use kexec_core::plan::Plan;
use kexec_core::types::digest::{xxh64, Algorithm, DIGEST_LEN};
use kexec_core::uapi::ANY_DIGEST;

/// How SHA-256 is timed: so many times this many bytes.
const SAMPLES: usize = 8;
static SAMPLE: [u8; 16 << 10] = [0; 16 << 10];

/// The algorithm that a request asks for, if it asks for one.
pub(crate) fn requested(number: u32) -> Result<Option<Algorithm>, RequestError> {
    match (number, Algorithm::from_number(number)) {
        (ANY_DIGEST, _) => Ok(None),
        (_, None) => Err(RequestError::UnknownDigest(number)),
        (_, known) => Ok(known),
    }
}

/// Refuses what is too long for one digest.
pub(super) fn check_digestible(what: &'static str, len: u64) -> Result<(), FileError> {
    match u32::try_from(len) {
        Ok(_) => Ok(()),
        Err(_) => Err(FileError::TooLarge { what, len }),
    }
}

/// Computes the digests of one image.
pub(super) struct Digests {
    sha256: Sha256,
    algorithm: Algorithm,
}

impl Digests {
    /// Digests by `requested`, or by SHA-256 if this CPU is quick enough at it for `plan`.
    pub(super) fn new(requested: Option<Algorithm>, plan: &Plan) -> Self {
        let mut sha256 = Sha256::new();
        let algorithm = requested.unwrap_or_else(|| {
            let checked = plan.segments().filter(|segment| segment.kind.is_checked());
            let lens = checked.map(|segment| segment.file_len);
            let len = lens.fold(0, u64::saturating_add);
            Algorithm::choose(len, SAMPLE.len() as u64, sample_time(&mut sha256))
        });
        Self { sha256, algorithm }
    }

    /// The algorithm of [`Self::digest`].
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest of `bytes`, which [`check_digestible`] has let through.
    pub(super) fn digest(&mut self, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        match self.algorithm {
            Algorithm::Sha256 => self.sha256(bytes),
            Algorithm::Xxh64 => {
                let (stripes, rest) = words::stripes(bytes);
                xxh64(stripes, rest)
            }
        }
    }

    /// SHA-256 of `bytes`, whatever the algorithm is.
    pub(super) fn sha256(&mut self, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        self.sha256.digest(bytes).unwrap_or_default()
    }
}

/// Nanoseconds that a sample takes: the shortest time of several, because others run meanwhile.
fn sample_time(sha256: &mut Sha256) -> u64 {
    let times = (0..SAMPLES).map(|_| {
        let start = clock::nanoseconds();
        sha256.digest(&SAMPLE);
        clock::nanoseconds().saturating_sub(start)
    });
    times.min().unwrap_or_default()
}
