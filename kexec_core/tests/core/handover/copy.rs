// SPDX-License-Identifier: GPL-2.0

//! Copies that memory does not keep as they were written.

use kexec_core::{
    handover::{
        copy::{
            copy,
            Contents,
            Damaged,
            Records, //
        },
        purgatory::{
            Table,
            TABLE_LEN, //
        },
    },
    image::KernelImage,
    plan::{
        Placement,
        Placer,
        Plan, //
    },
    types::{
        digest::Algorithm,
        ranges::Range, //
    },
    uapi::SegmentKind, //
};

use super::flips::Region;
use crate::fixture::{
    bzimage_file,
    range,
    verified,
    GIB,
    MIB, //
};

const PAGE: u64 = 4096;
const INITRD: [u8; 5000] = [0x5a; 5000];
const PURGATORY: [u8; 8200] = [0xc3; 8200];

/// Copies an image into memory that forgets the byte at an address.
fn copied(choose: impl Fn(&Plan) -> u64) -> (Plan, u64, Result<Records, Damaged>) {
    let file = bzimage_file();
    let image = verified(&file);
    let range = range(256 * MIB, 288 * MIB);
    let mut placer = Placer::new(range).unwrap();
    let kernel = placer.place_kernel(&image, Placement::Lowest).unwrap();
    for (kind, len) in [
        (SegmentKind::Purgatory, PURGATORY.len() as u64),
        (SegmentKind::PurgatoryTable, TABLE_LEN as u64),
        (SegmentKind::Initrd, INITRD.len() as u64),
    ] {
        let placed = placer.place(kind, len, len, PAGE, Placement::Highest, Range::ALL);
        placed.unwrap();
    }
    let entry = kernel.memory.start() + image.entry_offset();
    let plan = placer.finish(entry, GIB).unwrap();

    let forgotten = choose(&plan);
    let mut memory = Region {
        range,
        bytes: vec![0xff; range.len() as usize],
        forgotten: Some(forgotten),
    };
    let contents = |kind| {
        Some(match kind {
            SegmentKind::Kernel => Contents::Kernel(&image),
            SegmentKind::Initrd => Contents::Bytes(&INITRD),
            SegmentKind::Purgatory => Contents::Bytes(&PURGATORY),
            _ => return None,
        })
    };
    let (mut table, mut records) = (Table::default(), Records::default());
    let algorithm = Algorithm::Xxh64;
    let outcome = copy(
        &plan,
        &mut table,
        algorithm,
        &mut memory,
        contents,
        &mut records,
    );
    (plan, forgotten, outcome.map(|()| records))
}

#[test]
fn a_damaged_copy_is_refused_by_its_name() {
    for kind in [
        SegmentKind::Kernel,
        SegmentKind::Initrd,
        SegmentKind::Purgatory,
        SegmentKind::PurgatoryTable,
    ] {
        let middle = |plan: &Plan| {
            let segment = plan.segment(kind).unwrap();
            segment.memory.start() + segment.file_len / 2
        };
        let (_, forgotten, outcome) = copied(middle);
        let damaged = outcome.err().unwrap_or_else(|| panic!("{}", kind.name()));
        assert_eq!(damaged.kind, kind);
        assert!(damaged.memory.contains(forgotten), "{damaged:?}");
    }
}

#[test]
fn what_was_not_copied_may_change() {
    let after_the_initrd = |plan: &Plan| {
        let segment = plan.segment(SegmentKind::Initrd).unwrap();
        segment.memory.start() + segment.file_len
    };
    let (plan, _, outcome) = copied(after_the_initrd);
    let records = outcome.unwrap();
    let lens = records.as_slice().iter().map(|record| record.file_len);
    assert!(lens.eq(plan.segments().map(|segment| segment.file_len)));
}
