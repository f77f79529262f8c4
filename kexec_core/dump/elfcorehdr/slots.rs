// SPDX-License-Identifier: GPL-2.0

//! The two slots of the ELF core header's segment, of which a crash takes one.
//!
//! Memory and CPUs come and go while an image is armed, and the header has to follow. The one that
//! is in force is never written to: a new one goes into the other slot, then its record, and then
//! one store puts it in force. Whenever a crash comes, there is one whole header with its digest.
//!
//! The word that is stored is a generation, which the record of the slot in force has too. A stray
//! write to either makes them differ, and then no header is in force.
//!
//! The capture kernel finds its header at the start of the segment, which is the first slot. When
//! the second one is in force, the purgatory copies that header there, once it has checked both.

use core::mem::{offset_of, size_of};

use crate::types::bytes::{align_up, read_u32, read_u64, to_u64, write};
use crate::types::digest::{Algorithm, Checked, DIGEST_LEN};
use crate::types::ranges::Range;
use crate::uapi::SegmentKind;

/// How many slots there are: the generation modulo this is the number of its slot.
const SLOTS: u64 = 2;

/// The generation of the first header, which belongs into the first slot. Those before it have never
/// been in force.
const FIRST: u64 = 2;

/// No header has this generation.
const NONE: u64 = 0;

/// What a slot has in it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Counts the headers of an image; 0 where there is none.
    pub generation: u64,
    /// Length of the header in bytes.
    pub len: u64,
    /// [`Algorithm`] of the digest, as a number.
    pub algorithm: u32,
    /// 0.
    pub reserved: u32,
    /// The header's digest.
    pub digest: [u8; DIGEST_LEN],
}

/// Behind the slots: which one is in force, and what they have in them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The generation of the header in force.
    pub in_force: u64,
    /// The slots' records.
    pub records: [Record; SLOTS as usize],
}

/// Length of a [`Selection`] in bytes.
pub const SELECTION_LEN: usize = size_of::<Selection>();

const RECORD_LEN: usize = size_of::<Record>();

const _: () = {
    assert!(RECORD_LEN == 56);
    assert!(offset_of!(Record, digest) == 24);
    assert!(offset_of!(Selection, records) == 8);
    assert!(SELECTION_LEN == 8 + 2 * RECORD_LEN);
    assert!(FIRST % SLOTS == 0);
};

impl Record {
    fn encode(&self) -> [u8; RECORD_LEN] {
        let mut out = [0; RECORD_LEN];
        for (offset, field) in [
            (offset_of!(Self, generation), self.generation),
            (offset_of!(Self, len), self.len),
        ] {
            write(&mut out, offset, &field.to_le_bytes());
        }
        let algorithm = self.algorithm.to_le_bytes();
        write(&mut out, offset_of!(Self, algorithm), &algorithm);
        write(&mut out, offset_of!(Self, digest), &self.digest);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            generation: read_u64(bytes, offset_of!(Self, generation))?,
            len: read_u64(bytes, offset_of!(Self, len))?,
            algorithm: read_u32(bytes, offset_of!(Self, algorithm))?,
            reserved: read_u32(bytes, offset_of!(Self, reserved))?,
            digest: *bytes.get(offset_of!(Self, digest)..)?.first_chunk()?,
        })
    }
}

impl Selection {
    /// Reads it from memory.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut records = [Record::default(); SLOTS as usize];
        let encoded = bytes.get(offset_of!(Self, records)..SELECTION_LEN)?;
        for (record, bytes) in records.iter_mut().zip(encoded.chunks_exact(RECORD_LEN)) {
            *record = Record::decode(bytes)?;
        }
        Some(Self {
            in_force: read_u64(bytes, offset_of!(Self, in_force))?,
            records,
        })
    }
}

/// Where the slots are.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Physical address of the first one.
    pub start: u64,
    /// How long a header can be, in bytes. The second slot starts as far behind the first, and the
    /// [`Selection`] behind the second.
    pub slot_len: u64,
}

impl Slots {
    /// How long slots and segment are that have room for a header of `header_len` bytes and are made
    /// of whole pages of `page_len` bytes.
    pub fn lens(header_len: u64, page_len: u64) -> Option<(u64, u64)> {
        let slot_len = align_up(header_len, page_len)?;
        let selection_len = align_up(to_u64(SELECTION_LEN), page_len)?;
        let total = slot_len.checked_mul(SLOTS)?.checked_add(selection_len)?;
        Some((slot_len, total))
    }

    /// The memory of the slot that a generation belongs into.
    fn slot(&self, generation: u64) -> Option<Range> {
        let offset = (generation % SLOTS).checked_mul(self.slot_len)?;
        Range::from_start_len(self.start.checked_add(offset)?, self.slot_len)
    }

    /// Where the [`Selection`] is.
    pub fn selection(&self) -> Option<Range> {
        let start = self.slot_len.checked_mul(SLOTS)?.checked_add(self.start)?;
        Range::from_start_len(start, to_u64(SELECTION_LEN))
    }

    /// The header in force, for its digest to be checked; none where a selection has been damaged.
    pub fn in_force(&self, selection: &Selection) -> Option<Checked> {
        let generation = selection.in_force;
        let index = usize::try_from(generation % SLOTS).ok()?;
        let record = selection.records.get(index)?;
        let intact = generation != NONE
            && generation == record.generation
            && record.len <= self.slot_len
            && record.reserved == 0;
        intact.then_some(Checked {
            start: self.slot(generation)?.start(),
            len: record.len,
            kind: SegmentKind::Elfcorehdr as u32,
            algorithm: record.algorithm,
            digest: record.digest,
        })
    }
}

/// The segment's memory, as [`Writer`] changes it.
pub trait Memory {
    /// Writes bytes at a physical address.
    fn write(&mut self, address: u64, bytes: &[u8]);

    /// Stores a little-endian number at an aligned physical address, at once and after all that was
    /// written before.
    fn store(&mut self, address: u64, value: u64);
}

/// A header has no room in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// Writes headers into slots that nobody else writes to.
#[derive(Debug)]
pub struct Writer {
    slots: Slots,
    in_force: u64,
}

impl Writer {
    /// A writer for slots in memory that is all zeros.
    pub fn new(slots: Slots) -> Self {
        // The next generation is the first one.
        Self {
            slots,
            in_force: FIRST - 1,
        }
    }

    /// Puts a header in force, instead of another one, if there is one.
    ///
    /// After each step of this, and in the middle of one, either this header is in force or what was
    /// in force before is, whole.
    pub fn put_in_force(
        &mut self,
        memory: &mut impl Memory,
        header: &[u8],
        algorithm: Algorithm,
        digest: [u8; DIGEST_LEN],
    ) -> Result<(), NoRoom> {
        let generation = self.in_force.checked_add(1).ok_or(NoRoom)?;
        let place = self.slots.slot(generation).ok_or(NoRoom)?;
        let record = self.record(generation).ok_or(NoRoom)?;
        let stale = self.record(self.in_force).ok_or(NoRoom)?;
        if to_u64(header.len()) > place.len() {
            return Err(NoRoom);
        }
        memory.write(place.start(), header);
        let contents = Record {
            generation,
            len: to_u64(header.len()),
            algorithm: algorithm as u32,
            reserved: 0,
            digest,
        };
        memory.write(record, &contents.encode());
        let selection = self.slots.selection().ok_or(NoRoom)?;
        memory.store(selection.start(), generation);
        // A flipped bit in the word must not put the old one in force again.
        memory.store(stale, NONE);
        self.in_force = generation;
        Ok(())
    }

    /// How many headers were put in force after the first one.
    pub fn replacements(&self) -> u64 {
        self.in_force.saturating_sub(FIRST)
    }

    /// The slot whose header is in force.
    pub fn slot_in_force(&self) -> Range {
        self.slots.slot(self.in_force).unwrap_or_default()
    }

    /// The address of the record of a generation's slot.
    fn record(&self, generation: u64) -> Option<u64> {
        let index = generation % SLOTS;
        let offset = to_u64(offset_of!(Selection, records))
            .checked_add(index.checked_mul(to_u64(RECORD_LEN))?)?;
        self.slots.selection()?.start().checked_add(offset)
    }
}

const _: () = assert!(offset_of!(Selection, in_force) == 0);
const _: () = assert!(offset_of!(Record, generation) == 0);
