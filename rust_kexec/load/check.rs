// SPDX-License-Identifier: GPL-2.0

//! The check of a copy, before it is armed: by its digests, as the purgatory will, and against what was
//! copied, where the digest is that of the copy itself.

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
        let same = contents(kind).map_or(true, |contents| {
            contents.whole().is_some() || contents.are(found)
        });
        let digest = Algorithm::from_number(record.algorithm)
            .is_some_and(|algorithm| digests.digest_by(algorithm, found) == record.digest);
        let intact = digest && (kind != SegmentKind::PurgatoryTable || is_table(found, digests));
        if !same || !intact {
            return Err(RegionError::Damaged {
                what: kind.name(),
                memory: place,
            });
        }
    }
    Ok(())
}

/// Whether the table's own digest is right.
fn is_table(found: &[u8], digests: &mut Digests) -> bool {
    let digested = found.get(..DIGESTED_LEN).unwrap_or_default();
    let digest = digests.digest_by(Algorithm::Sha256, digested);
    found.get(DIGESTED_LEN..) == Some(&digest[..])
}
