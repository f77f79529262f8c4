// SPDX-License-Identifier: GPL-2.0

//! The two slots of the elfcorehdr's segment. A crash uses the header in one of them.
//!
//! Memory and CPUs come and go while an image is armed, and the header has to follow. The header in
//! force is never written to. A new header goes into the other slot, then its record is written,
//! and then one store puts it in force. At every moment there is one whole header with its digest.
//!
//! The stored word is a generation number. The record of the slot in force has the same number. A
//! stray write to one of them makes them differ, and then no header is in force.
//!
//! The capture kernel finds its header at the start of the segment, which is the first slot. If the
//! second slot is in force, the purgatory checks its header and copies it to the first slot.

use core::mem::{
    offset_of,
    size_of, //
};

use crate::{
    types::{
        bytes::{
            align_up,
            read_u32,
            read_u64,
            to_u64,
            write, //
        },
        digest::{
            Algorithm,
            Checked,
            DIGEST_LEN, //
        },
        ranges::Range, //
    },
    uapi::SegmentKind, //
};

/// The number of slots. A generation modulo this is the number of its slot.
const SLOTS: u64 = 2;

/// The generation of the first header, which belongs into the first slot. Smaller generations are
/// never in force.
const FIRST: u64 = 2;

/// The generation that stands for no header.
const NONE: u64 = 0;

/// The record of a slot: its header's length and digest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The header's generation; 0 if the slot has no header.
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

/// The words after the slots: the generation in force, and the slots' records.
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
    /// Reads a selection from memory.
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

/// The place of the slots.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Physical address of the first one.
    pub start: u64,
    /// The length of a slot in bytes. The second slot follows the first, and the [`Selection`]
    /// follows the second.
    pub slot_len: u64,
}

impl Slots {
    /// Those of an image that has no elfcorehdr: it is not for a crash.
    pub const NONE: Self = Self {
        start: 0,
        slot_len: 0,
    };

    /// The lengths of a slot and of the segment. A slot has room for a header of `header_len`
    /// bytes; all parts are made of whole pages of `page_len` bytes.
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

    /// The memory of the [`Selection`].
    pub fn selection(&self) -> Option<Range> {
        let start = self.slot_len.checked_mul(SLOTS)?.checked_add(self.start)?;
        Range::from_start_len(start, to_u64(SELECTION_LEN))
    }

    /// The header in force with its digest, which the purgatory checks. None if the selection is
    /// damaged.
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

    /// Stores a little-endian number at an aligned physical address, with one access, after all
    /// earlier writes.
    fn store(&mut self, address: u64, value: u64);
}

/// A header is too long for its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// The only writer of the slots.
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

    /// Puts a header in force, in the place of the one before.
    ///
    /// At every moment of this, either the new header is in force or the one before it, and the
    /// header in force is whole.
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
        // A flipped bit in the word must not put the old header in force again.
        memory.store(stale, NONE);
        self.in_force = generation;
        Ok(())
    }

    /// The slots that it writes to.
    pub fn slots(&self) -> Slots {
        self.slots
    }

    /// The number of headers that were put in force after the first one.
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
