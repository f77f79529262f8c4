// SPDX-License-Identifier: GPL-2.0

//! The digest checks.

use crate::memory;
use kexec_core::dump::elfcorehdr::slots::{Slots, SELECTION_LEN};
use kexec_core::handover::purgatory::{Table, CHECKED_MAX, DIGESTED_LEN, MAGIC};
use kexec_core::types::digest::{xxh64, Algorithm, Checked, DIGEST_LEN};
use kexec_core::uapi::SegmentKind;
use sha2::{Digest, Sha256};

/// The part of the image that differs from the module's record.
pub enum Damage {
    /// The table itself.
    Table,
    /// A segment that the table describes.
    Segment {
        /// Its kind, if the table's number is a known one.
        kind: Option<SegmentKind>,
        /// The algorithm of its digest, if the table's number is a known one.
        algorithm: Option<Algorithm>,
        /// Its physical address.
        start: u64,
        /// Its length in bytes.
        len: u64,
    },
}

/// Checks the table, every segment in order, and the ELF core header in force. Returns that header.
pub fn check(table: &Table) -> Result<&[u8], Damage> {
    check_table(table)?;
    for checked in table.checked.iter().take(table.checked_count as usize) {
        check_segment(checked)?;
    }
    check_elfcorehdr(&table.elfcorehdr)
}

/// Checks the table's magic, its own digest and its count.
fn check_table(table: &Table) -> Result<(), Damage> {
    let bytes = memory::bytes_of(table);
    let Some(digested) = bytes.get(..DIGESTED_LEN) else {
        return Err(Damage::Table);
    };
    let intact = table.magic == MAGIC
        && Sha256::digest(digested)[..] == table.sha256
        && table.checked_count as usize <= CHECKED_MAX;
    if intact {
        Ok(())
    } else {
        Err(Damage::Table)
    }
}

fn digest(algorithm: Algorithm, bytes: &[u8]) -> [u8; DIGEST_LEN] {
    match algorithm {
        Algorithm::Sha256 => Sha256::digest(bytes).into(),
        Algorithm::Xxh64 => xxh64(&[], bytes),
    }
}

fn check_elfcorehdr(slots: &Slots) -> Result<&[u8], Damage> {
    // SAFETY: The table's digest held, so the slots are where the module made them.
    let selection = unsafe { memory::selection(slots) };
    match selection.and_then(|selection| slots.in_force(&selection)) {
        Some(checked) => check_segment(&checked),
        None => Err(Damage::Segment {
            kind: Some(SegmentKind::Elfcorehdr),
            algorithm: None,
            start: slots.selection().map_or(0, |place| place.start()),
            len: SELECTION_LEN as u64,
        }),
    }
}

fn check_segment<'a>(checked: &Checked) -> Result<&'a [u8], Damage> {
    // SAFETY: The table's digest held, so the range is one that the module recorded, or a slot that
    // it made: inside the reserved region, identity-mapped, and written by nobody while this code
    // runs alone.
    let bytes = unsafe { memory::physical(checked.start, checked.len) };
    let algorithm = Algorithm::from_number(checked.algorithm);
    if algorithm.map(|algorithm| digest(algorithm, bytes)) == Some(checked.digest) {
        Ok(bytes)
    } else {
        Err(Damage::Segment {
            kind: SegmentKind::from_number(checked.kind),
            algorithm,
            start: checked.start,
            len: checked.len,
        })
    }
}
