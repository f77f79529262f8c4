// SPDX-License-Identifier: GPL-2.0

//! The check of a copy, before it is armed: against what was copied, and by its digest where that was
//! taken of the copy.

use super::digests::Digests;
use crate::{
    refusal::RegionError,
    sys::physical::ReservedMemory, //
};
use kexec_core::{
    handover::{
        copy::Contents,
        purgatory::DIGESTED_LEN, //
    },
    image::KernelImage,
    types::{
        digest::Algorithm,
        ranges::Range, //
    },
    uapi::{
        SegmentKind,
        SegmentRecord, //
    }, //
};

/// Reads every segment of `records` in `memory`, and refuses one that is not what `contents` has.
// Never inline: a test has memory change when this is entered.
#[inline(never)]
pub(super) fn check<'a, T: KernelImage + 'a>(
    memory: &mut ReservedMemory,
    records: &[SegmentRecord],
    digests: &mut Digests,
    contents: impl Fn(SegmentKind) -> Option<Contents<'a, T>>,
) -> Result<(), RegionError> {
    for record in records {
        let Some(kind) = SegmentKind::from_number(record.kind) else {
            continue;
        };
        // Its digest is in itself, and it is checked by whoever writes it.
        if kind == SegmentKind::Elfcorehdr {
            continue;
        }
        let place = Range::from_start_len(record.start, record.file_len).unwrap_or_default();
        let found = memory.bytes(place).unwrap_or_default();
        let contents = contents(kind);
        let same = contents
            .as_ref()
            .map_or(true, |contents| contents.are(found));
        // Where the contents lie together, the digest was taken of them.
        let digested = contents.is_some_and(|contents| contents.whole().is_some());
        let intact = digested || is_intact(record, found, digests);
        if !same || !intact {
            return Err(RegionError::Damaged {
                what: kind.name(),
                memory: place,
            });
        }
    }
    Ok(())
}

/// Whether the digest that was taken of the copy is right still, and the table's own as well.
fn is_intact(record: &SegmentRecord, found: &[u8], digests: &mut Digests) -> bool {
    Algorithm::from_number(record.algorithm)
        .is_some_and(|algorithm| digests.digest_by(algorithm, found) == record.digest)
        && (record.kind != SegmentKind::PurgatoryTable as u32 || is_table(found, digests))
}

/// Whether the table's own digest is right.
fn is_table(found: &[u8], digests: &mut Digests) -> bool {
    let digested = found.get(..DIGESTED_LEN).unwrap_or_default();
    let digest = digests.digest_by(Algorithm::Sha256, digested);
    found.get(DIGESTED_LEN..) == Some(&digest[..])
}
