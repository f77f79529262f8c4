// SPDX-License-Identifier: GPL-2.0

//! The slots of the elfcorehdr, as the purgatory finds them if a crash comes at any moment.

use kexec_core::{
    dump::elfcorehdr::slots::{
        Memory,
        NoRoom,
        Selection,
        Slots,
        Writer,
        SELECTION_LEN, //
    },
    types::digest::{
        xxh64,
        Algorithm, //
    },
    uapi::SegmentKind, //
};
use proptest::prelude::*;

const START: u64 = 0x2f00_0000;
const PAGE: u64 = 4096;
const SLOT_LEN: u64 = PAGE;

const SLOTS: Slots = Slots {
    start: START,
    slot_len: SLOT_LEN,
};

/// The segment's memory, with its contents at every step.
struct Traced {
    bytes: Vec<u8>,
    steps: Vec<Vec<u8>>,
}

impl Traced {
    fn new() -> Self {
        let (slot_len, total) = Slots::lens(SLOT_LEN, PAGE).unwrap();
        assert_eq!((slot_len, total), (SLOT_LEN, 2 * SLOT_LEN + PAGE));
        Self {
            bytes: vec![0; total as usize],
            steps: Vec::new(),
        }
    }

    fn write_one(&mut self, address: u64, bytes: &[u8]) {
        let at = (address - START) as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.steps.push(self.bytes.clone());
    }
}

impl Memory for Traced {
    /// The order of the bytes is not promised. Here every other byte comes last.
    fn write(&mut self, address: u64, bytes: &[u8]) {
        for parity in [0, 1] {
            for (offset, byte) in bytes.iter().enumerate().skip(parity).step_by(2) {
                self.write_one(address + offset as u64, &[*byte]);
            }
        }
    }

    fn store(&mut self, address: u64, value: u64) {
        assert_eq!(address % 8, 0);
        self.write_one(address, &value.to_le_bytes());
    }
}

fn put(writer: &mut Writer, memory: &mut Traced, header: &[u8]) -> Result<(), NoRoom> {
    writer.put_in_force(memory, header, Algorithm::Xxh64, xxh64(&[], header))
}

/// The header that the purgatory takes, if its digest holds.
fn taken(bytes: &[u8]) -> Option<&[u8]> {
    let selection = SLOTS.selection().unwrap();
    let at = (selection.start() - START) as usize;
    let selection = Selection::decode(&bytes[at..]).unwrap();
    let checked = SLOTS.in_force(&selection)?;
    assert_eq!(checked.kind, SegmentKind::Elfcorehdr as u32);
    let start = (checked.start - START) as usize;
    assert!(start % SLOT_LEN as usize == 0 && checked.len <= SLOT_LEN);
    let header = &bytes[start..start + checked.len as usize];
    let intact = checked.algorithm == Algorithm::Xxh64 as u32;
    (intact && checked.digest == xxh64(&[], header)).then_some(header)
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_crash_at_any_step_finds_the_old_header_or_the_new_one(
        headers in prop::collection::vec(header(), 2..6),
    ) {
        let mut memory = Traced::new();
        let mut writer = Writer::new(SLOTS);
        prop_assert_eq!(taken(&memory.bytes), None);
        put(&mut writer, &mut memory, &headers[0]).unwrap();
        prop_assert_eq!(taken(&memory.bytes), Some(&headers[0][..]));
        for (number, pair) in headers.windows(2).enumerate() {
            memory.steps.clear();
            put(&mut writer, &mut memory, &pair[1]).unwrap();
            let first_new = memory.steps.iter().position(|step| taken(step) == Some(&pair[1]));
            // One of the last two steps is the one store; a header that is the same was not
            // replaced.
            let border = memory.steps.len() - 2;
            prop_assert!(pair[0] == pair[1] || first_new == Some(border));
            for (index, step) in memory.steps.iter().enumerate() {
                let expected = &pair[usize::from(index >= border)];
                prop_assert_eq!(taken(step), Some(&expected[..]), "step {}", index);
            }
            prop_assert_eq!(writer.replacements(), number as u64 + 1);
            prop_assert_eq!(
                writer.slot_in_force().start(),
                START + (number as u64 + 1) % 2 * SLOT_LEN
            );
        }
    }

    #[test]
    fn a_flipped_bit_never_brings_another_header(
        headers in prop::collection::vec(header(), 1..4),
        mask in (0..8_u32).prop_map(|bit| 1_u8 << bit),
    ) {
        let mut memory = Traced::new();
        let mut writer = Writer::new(SLOTS);
        for header in &headers {
            put(&mut writer, &mut memory, header).unwrap();
        }
        let latest = headers.last().unwrap();
        let selection = (SLOTS.selection().unwrap().start() - START) as usize;
        let slot = (writer.slot_in_force().start() - START) as usize;
        let in_force = slot..slot + latest.len();
        for at in in_force.chain(selection..selection + SELECTION_LEN) {
            let mut bytes = memory.bytes.clone();
            bytes[at] ^= mask;
            let found = taken(&bytes);
            prop_assert!(found.is_none() || found == Some(&latest[..]), "byte {:#x}", at);
        }
        // These changes are always noticed: those of the header itself, and of the word that
        // selects it.
        for at in [slot, selection, selection + 7] {
            let mut bytes = memory.bytes.clone();
            bytes[at] ^= mask;
            prop_assert_eq!(taken(&bytes), None);
        }
    }
}

#[test]
fn a_header_that_is_too_long_leaves_the_other_one_in_force() {
    let mut memory = Traced::new();
    let mut writer = Writer::new(SLOTS);
    let longest = vec![0xaa; SLOT_LEN as usize];
    put(&mut writer, &mut memory, &longest).unwrap();
    let before = memory.bytes.clone();
    let too_long = vec![0xbb; SLOT_LEN as usize + 1];
    assert_eq!(put(&mut writer, &mut memory, &too_long), Err(NoRoom));
    assert_eq!(memory.bytes, before);
    assert_eq!(taken(&memory.bytes), Some(&longest[..]));
    assert_eq!(writer.replacements(), 0);
}

#[test]
fn slots_that_leave_the_address_space_have_no_header() {
    let slots = Slots {
        start: u64::MAX - 0x1000,
        slot_len: 0x1000,
    };
    assert_eq!(slots.selection(), None);
    assert_eq!(Slots::lens(u64::MAX, PAGE), None);
    let mut selection = Selection {
        in_force: 2,
        ..Selection::default()
    };
    selection.records[0].generation = 2;
    selection.records[0].len = 0x1001;
    assert_eq!(slots.in_force(&selection), None);
}

#[test]
fn the_selection_is_read_at_the_offsets_of_its_structure() {
    let bytes: Vec<u8> = (0..SELECTION_LEN as u8).collect();
    let selection = Selection::decode(&bytes).unwrap();
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(selection.in_force, number(0));
    for (index, record) in selection.records.iter().enumerate() {
        let at = 8 + 56 * index;
        assert_eq!(record.generation, number(at));
        assert_eq!(record.len, number(at + 8));
        assert_eq!(u64::from(record.algorithm), number(at + 16) & 0xffff_ffff);
        assert_eq!(u64::from(record.reserved), number(at + 16) >> 32);
        assert_eq!(record.digest, bytes[at + 24..at + 56]);
    }
    assert_eq!(Selection::decode(&bytes[1..]), None);
}
