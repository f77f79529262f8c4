// SPDX-License-Identifier: GPL-2.0

//! The digests of the segments, by which a crash finds what was overwritten after the load.

use crate::{
    refusal::{
        FileError,
        RequestError, //
    },
    sys::{
        sha256::Sha256,
        words, //
    }, //
};
use kexec_core::{
    types::digest::{
        Algorithm,
        DIGEST_LEN, //
    },
    uapi::ANY_DIGEST, //
};

/// The algorithm that a request asks for, or the default if it asks for none.
pub(crate) fn requested(number: u32) -> Result<Algorithm, RequestError> {
    match number {
        ANY_DIGEST => Ok(Algorithm::DEFAULT),
        number => Algorithm::from_number(number).ok_or(RequestError::UnknownDigest(number)),
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
    /// Digests by `algorithm`.
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self {
            sha256: Sha256::new(),
            algorithm,
        }
    }

    /// The algorithm of [`Self::digest`].
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest of `bytes`, which [`check_digestible`] has let through.
    pub(super) fn digest(&mut self, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        self.digest_by(self.algorithm, bytes)
    }

    /// The digest of `bytes` by any algorithm.
    pub(super) fn digest_by(&mut self, algorithm: Algorithm, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        match algorithm {
            Algorithm::Sha256 => self.sha256.digest(bytes).unwrap_or_default(),
            Algorithm::Xxh64 => words::xxh64(bytes),
        }
    }

    /// The digest of `bytes` by any algorithm, if `copy` has the same.
    pub(super) fn digest_compared(
        &mut self,
        algorithm: Algorithm,
        bytes: &[u8],
        copy: &[u8],
    ) -> Option<[u8; DIGEST_LEN]> {
        match algorithm {
            Algorithm::Sha256 => (bytes == copy).then(|| self.digest_by(algorithm, bytes)),
            Algorithm::Xxh64 => words::xxh64_of_equal(bytes, copy),
        }
    }
}
