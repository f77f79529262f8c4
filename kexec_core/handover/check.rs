// SPDX-License-Identifier: GPL-2.0

//! The checks that a crash makes before the capture kernel runs: whether the image is still what the
//! load recorded.
//!
//! Two programs share them, and each checks what it can be trusted to check:
//!
//! - The module, before the jump: the purgatory, that is its code and the page tables that it runs
//!   on, and the purgatory's table. Nobody else can: damaged code does not find its own damage. The
//!   digests are in the module's memory, and so is the code that compares them.
//! - The purgatory, after the jump: its table again, then all other segments, then the elfcorehdr in
//!   force. It runs without the crashed kernel, which may go astray while this lasts.
//!
//! What a digest covers is the bytes of a segment that were copied there ([`SegmentRecord::file_len`]),
//! and of the elfcorehdr's segment what is in force: the word that says which slot is, that slot's
//! record, and its header. The rest of a segment's memory is zeroed at the load, and nobody relies on
//! it: a kernel clears its own.

use core::fmt;

use crate::{
    dump::elfcorehdr::slots::{
        Selection,
        Slots, //
    },
    handover::purgatory::{
        Table,
        CHECKED_MAX,
        DIGESTED_LEN,
        MAGIC,
        TABLE_LEN, //
    },
    types::{
        bytes::to_u64,
        digest::{
            Algorithm,
            Checked,
            DIGEST_LEN, //
        },
        hexadecimal::Hexadecimal,
        ranges::Range, //
    },
    uapi::{
        SegmentKind,
        SegmentRecord, //
    }, //
};

/// The algorithm of what the module checks before the jump, whichever the image's is. The kernel's
/// SHA-256 is not for the crash path: it may take the registers of the FPU for itself.
pub const BEFORE_THE_JUMP: Algorithm = Algorithm::Xxh64;

/// Physical memory, as the program sees it that checks.
pub trait Memory {
    /// The bytes of a range, if they can be read.
    fn bytes(&self, range: Range) -> Option<&[u8]>;

    /// The same, of a range that begins with an aligned word which was stored last: the rest is read
    /// after it.
    fn bytes_after_word(&self, range: Range) -> Option<&[u8]> {
        self.bytes(range)
    }

    /// The digest of bytes, where the program has the algorithm.
    fn digest(&self, algorithm: Algorithm, bytes: &[u8]) -> Option<[u8; DIGEST_LEN]>;
}

/// A part of the image that is not what the load recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's kind, if its number is a known one.
    pub kind: Option<SegmentKind>,
    /// The algorithm of the digest. None where it cannot be told, or there is no digest.
    pub algorithm: Option<Algorithm>,
    /// Physical address.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
}

impl Damage {
    fn of(checked: &Checked) -> Self {
        Self {
            kind: SegmentKind::from_number(checked.kind),
            algorithm: Algorithm::from_number(checked.algorithm),
            start: checked.start,
            len: checked.len,
        }
    }

    /// Passes on the parts of a sentence for people, in their order: what is damaged. The purgatory says it
    /// without the core library's formatting.
    fn say_what<E>(&self, part: &mut impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        part(self.algorithm.map_or("digest", Algorithm::name))?;
        part(" of the ")?;
        part(self.kind.map_or("unknown segment", SegmentKind::name))?;
        part(" does not match: memory at ")?;
        part(Hexadecimal::new(self.start).as_str())?;
        part(", ")?;
        part(Hexadecimal::new(self.len).as_str())?;
        part(" bytes, was overwritten after the load. ")
    }

    /// The same, and what follows from it after a crash.
    pub fn say<E>(&self, mut part: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        self.say_what(&mut part)?;
        part("The capture kernel is not started: a dump that it wrote could not be trusted.")
    }
}

/// Why a reboot does not enter an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeAReboot {
    /// A part of it is not what the load recorded.
    Damaged(Damage),
    /// What would copy it to its place is not what the load has written.
    RelocatorDamaged,
    /// The place that it would be copied to is no longer memory, or is known to be broken.
    PlaceGone(Range),
}

impl From<Damage> for BeforeAReboot {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl fmt::Display for BeforeAReboot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(damage) => damage.say_what(&mut |part: &str| f.write_str(part))?,
            Self::RelocatorDamaged => write!(
                f,
                "{} of the relocator does not match: it, or its page tables, was overwritten after the \
                 load. ",
                BEFORE_THE_JUMP.name()
            )?,
            Self::PlaceGone(place) => write!(
                f,
                "{place}, where the kernel was to be copied to, is memory of this machine no longer, or \
                 was found broken. "
            )?,
        }
        f.write_str(
            "The machine does not reboot into it, and nothing was shut down: load the kernel again, or \
             reboot by firmware.",
        )
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(|part| f.write_str(part))
    }
}

/// Checks what the purgatory cannot check: itself, with its page tables, and its table.
///
/// `records` are those of the load. One that is missing counts as damage.
pub fn before_the_jump(records: &[SegmentRecord], memory: &impl Memory) -> Result<(), Damage> {
    let kinds = SegmentKind::ALL.into_iter();
    for kind in kinds.filter(|kind| !kind.is_checked_by_purgatory()) {
        let record = records.iter().find(|record| record.kind == kind as u32);
        let record = record.copied().unwrap_or(SegmentRecord {
            kind: kind as u32,
            ..SegmentRecord::default()
        });
        range(&record.checked(), memory)?;
    }
    Ok(())
}

/// Checks every segment but the elfcorehdr, for a program that can: of an image that a reboot enters, while
/// there is still somebody who can be told.
pub fn everything(records: &[SegmentRecord], memory: &impl Memory) -> Result<(), Damage> {
    let is_elfcorehdr = |record: &SegmentRecord| record.kind == SegmentKind::Elfcorehdr as u32;
    let mut checked = records.iter().filter(|record| !is_elfcorehdr(record));
    checked.try_for_each(|record| range(&record.checked(), memory).map(drop))
}

/// An image whose digests held.
pub struct Intact<'a> {
    /// The purgatory's table.
    pub table: Table,
    /// The elfcorehdr in force, in its slot, of an image for a crash.
    pub elfcorehdr: Option<&'a [u8]>,
}

/// Checks the table at physical address `table`, every segment that it names, in order, and the
/// elfcorehdr in force, where the table names one.
pub fn in_the_purgatory<M: Memory>(address: u64, memory: &M) -> Result<Intact<'_>, Damage> {
    let table = table(address, memory)?;
    for checked in table.checked.iter().take(table.checked_count as usize) {
        range(checked, memory)?;
    }
    let elfcorehdr = match table.elfcorehdr {
        Slots::NONE => None,
        slots => Some(elfcorehdr(&slots, memory)?),
    };
    Ok(Intact { table, elfcorehdr })
}

/// Checks the table's own digest, its magic and its count.
fn table(address: u64, memory: &impl Memory) -> Result<Table, Damage> {
    let damage = Damage {
        kind: Some(SegmentKind::PurgatoryTable),
        algorithm: Some(Algorithm::Sha256),
        start: address,
        len: to_u64(TABLE_LEN),
    };
    let whole = Range::from_start_len(address, to_u64(TABLE_LEN));
    let bytes = whole.and_then(|whole| memory.bytes(whole));
    let digested = bytes.and_then(|bytes| bytes.get(..DIGESTED_LEN));
    let digest = digested.and_then(|digested| memory.digest(Algorithm::Sha256, digested));
    let table = bytes.and_then(Table::decode).ok_or(damage)?;
    let intact = digest == Some(table.sha256)
        && table.magic == MAGIC
        && table.checked_count as usize <= CHECKED_MAX;
    match intact {
        true => Ok(table),
        false => Err(damage),
    }
}

/// Checks the elfcorehdr in force.
fn elfcorehdr<'a>(slots: &Slots, memory: &'a impl Memory) -> Result<&'a [u8], Damage> {
    let place = slots.selection().unwrap_or_default();
    let selection = memory.bytes_after_word(place).and_then(Selection::decode);
    match selection.and_then(|selection| slots.in_force(&selection)) {
        Some(checked) => range(&checked, memory),
        None => Err(Damage {
            kind: Some(SegmentKind::Elfcorehdr),
            algorithm: None,
            start: place.start(),
            len: place.len(),
        }),
    }
}

/// Compares the digest of a range. Returns its bytes.
fn range<'a>(checked: &Checked, memory: &'a impl Memory) -> Result<&'a [u8], Damage> {
    let damage = Damage::of(checked);
    let range = Range::from_start_len(checked.start, checked.len);
    let bytes = range.and_then(|range| memory.bytes(range)).ok_or(damage)?;
    match damage.algorithm {
        Some(algorithm) if memory.digest(algorithm, bytes) == Some(checked.digest) => Ok(bytes),
        _ => Err(damage),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::string::ToString;

    #[test]
    fn a_reboot_says_why_it_does_not_enter_an_image() {
        let place = Range::new(0x1000, 0x3000).unwrap();
        let end = "The machine does not reboot into it, and nothing was shut down: load the kernel again, or \
                   reboot by firmware.";
        let damage = Damage {
            kind: Some(SegmentKind::Initrd),
            algorithm: Some(Algorithm::Xxh64),
            start: 0x1000,
            len: 0x20,
        };
        for (why, what) in [
            (
                damage.into(),
                "XXH64 of the initrd does not match: memory at 0x1000, 0x20 bytes, was overwritten after \
                 the load. ",
            ),
            (
                BeforeAReboot::RelocatorDamaged,
                "XXH64 of the relocator does not match: it, or its page tables, was overwritten after the \
                 load. ",
            ),
            (
                BeforeAReboot::PlaceGone(place),
                "0x1000-0x3000, where the kernel was to be copied to, is memory of this machine no longer, \
                 or was found broken. ",
            ),
        ] {
            assert_eq!(why.to_string(), [what, end].concat());
        }
    }
}
