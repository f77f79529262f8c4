// SPDX-License-Identifier: GPL-2.0

//! Tables like the kernel's: looking addresses up, and changing entries.

use std::collections::BTreeMap;

use kexec_core::handover::arm64::kernel_map::{
    read_only,
    table_entry,
    without_hint,
    writable,
    KernelMap,
    KernelMapError,
    Unit, //
};

use crate::fixture::{
    GIB,
    MIB, //
};

/// A block or page of the kernel's data: AF, inner shareable, execute-never, DBM.
const DATA: u64 = 3 << 53 | 1 << 51 | 1 << 10 | 3 << 8;
const CONTIGUOUS: u64 = 1 << 52;
const TOP: u64 = 0x4100_0000;
const BLOCK: u64 = 1;
const PAGE: u64 = 3;

/// Tables in memory, by the physical address of each entry.
#[derive(Default)]
struct Tables(BTreeMap<u64, u64>);

impl Tables {
    fn set(&mut self, table: u64, index: u64, entry: u64) {
        self.0.insert(table + 8 * index, entry);
    }

    fn unit(&self, map: &KernelMap, address: u64) -> Result<Unit, KernelMapError> {
        map.unit(address, |place| self.0.get(&place).copied().unwrap_or(0))
    }
}

/// TCR_EL1 for addresses of so many bits, with one of TG1's numbers.
const fn tcr(bits: u64, tg1: u64) -> u64 {
    (64 - bits) << 16 | tg1 << 30
}

#[test]
fn blocks_under_one_hint_are_found_together() {
    // 4 KiB pages, 48 bits: four levels. An ASID and CnP are no part of the address.
    let map = KernelMap::new(7 << 48 | TOP | 1, tcr(48, 2)).unwrap();
    let mut tables = Tables::default();
    let start = 0xffff_0000_4000_0000_u64;
    tables.set(TOP, 0, table_entry(TOP + 0x1000));
    tables.set(TOP + 0x1000, 1, table_entry(TOP + 0x2000));
    for index in 0..32 {
        let hint = if index < 16 { CONTIGUOUS } else { 0 };
        let block = (GIB + index * 2 * MIB) | DATA | BLOCK | hint;
        tables.set(TOP + 0x2000, index, block);
    }
    let group = tables.unit(&map, start + 5 * MIB).unwrap();
    let expected = Unit {
        start,
        entries: TOP + 0x2000,
        count: 16,
        shift: 21,
    };
    assert_eq!(group, expected);
    assert_eq!(group.end(), start + 32 * MIB);
    assert_eq!(group.index(start + 5 * MIB), 2);
    assert!(group.straddles(start + 10 * MIB));
    assert!(!group.straddles(start) && !group.straddles(start + 32 * MIB));

    let single = tables.unit(&map, start + 35 * MIB).unwrap();
    let expected = Unit {
        start: start + 34 * MIB,
        entries: TOP + 0x2000 + 17 * 8,
        count: 1,
        shift: 21,
    };
    assert_eq!(single, expected);
    assert_eq!(
        tables.unit(&map, start + 64 * MIB),
        Err(KernelMapError::NotMapped {
            address: start + 64 * MIB
        })
    );
}

#[test]
fn pages_of_every_size_are_found() {
    // The number in TG1, the address bits, how many levels lie above the pages, pages in a hint.
    for (tg1, bits, page_shift, levels, hint) in [
        (2, 52, 12_u32, 4, 16),
        (2, 39, 12, 2, 16),
        (1, 47, 14, 2, 128),
        (1, 48, 14, 3, 128),
        (3, 52, 16, 2, 32),
    ] {
        let map = KernelMap::new(TOP, tcr(bits, tg1)).unwrap();
        let page = 1_u64 << page_shift;
        let mut tables = Tables::default();
        for level in 0..levels {
            let table = TOP + level * 0x1_0000;
            tables.set(table, 0, table_entry(table + 0x1_0000));
        }
        let last = TOP + levels * 0x1_0000;
        tables.set(last, 3, 0x8000_0000 | DATA | PAGE);
        tables.set(last, 129, 0x9000_0000 | DATA | CONTIGUOUS | PAGE);
        let start = u64::MAX << bits;
        let unit = tables.unit(&map, start + 3 * page + 5).unwrap();
        assert_eq!((unit.start, unit.len()), (start + 3 * page, page));
        let unit = tables.unit(&map, start + 129 * page).unwrap();
        assert_eq!((unit.start, unit.count), (start + 128 * page, hint));
        assert_eq!(unit.entries, last + 128 * 8);
    }
}

#[test]
fn what_cannot_be_changed_is_refused() {
    assert_eq!(
        KernelMap::new(TOP, tcr(48, 0)),
        Err(KernelMapError::PageSize { tg1: 0 })
    );
    // 64 KiB pages and 42 bits: blocks of 512 MiB in the top table.
    let map = KernelMap::new(TOP, tcr(42, 3)).unwrap();
    let mut tables = Tables::default();
    tables.set(TOP, 2, GIB | DATA | BLOCK);
    let address = (u64::MAX << 42) + GIB;
    assert_eq!(
        tables.unit(&map, address),
        Err(KernelMapError::TopTable { address })
    );
    // A block's kind means nothing among the pages.
    tables.set(TOP, 2, table_entry(TOP + 0x1_0000));
    tables.set(TOP + 0x1_0000, 0, GIB | DATA | BLOCK);
    assert_eq!(
        tables.unit(&map, address),
        Err(KernelMapError::NotMapped { address })
    );
}

#[test]
fn a_split_block_maps_the_same_memory() {
    let map = KernelMap::new(TOP, tcr(48, 2)).unwrap();
    let block = 0x6a60_0000 | DATA | CONTIGUOUS | BLOCK;
    let mut table = [0; 512];
    map.split(block, 21, &mut table);
    for (entry, number) in table.iter().zip(0..) {
        assert_eq!(*entry, (0x6a60_0000 + number * 0x1000) | DATA | PAGE);
    }
    map.split(GIB | DATA | BLOCK, 30, &mut table);
    for (entry, number) in table.iter().zip(0..) {
        assert_eq!(*entry, (GIB + number * 2 * MIB) | DATA | BLOCK);
    }
}

#[test]
fn writes_are_forbidden_and_allowed_again() {
    let page = 0x8000_0000 | DATA | PAGE;
    // With DBM the first write would clear AP[2].
    assert_eq!(read_only(page), page & !(1 << 51) | 1 << 7);
    assert_eq!(writable(read_only(page)), page);
    assert_eq!(without_hint(page | CONTIGUOUS), page);
}
