// SPDX-License-Identifier: GPL-2.0

//! The page tables of the jump, walked as the CPU walks them.

use kexec_core::{
    handover::{
        arm64::page_tables::{
            tables_for_window,
            tables_needed,
            window,
            IdentityMap,
            PageTableError,
            T0SZ, //
        },
        identity_map::OutOfTables, //
    },
    types::{
        errno::Errno,
        granule::Granule,
        ranges::Range, //
    }, //
};
use proptest::prelude::*;

use crate::fixture::{
    range,
    GIB,
    MIB, //
};

const BASE: u64 = 0x7fff_0000;
const GRANULES: [Granule; 3] = [Granule::Kib4, Granule::Kib16, Granule::Kib64];

/// AF, inner shareable, MAIR index 3 and execute-never for EL0: any bits that are attributes.
const MEMORY: u64 = 1 << 54 | 1 << 10 | 3 << 8 | 3 << 2;
const DEVICE: u64 = 3 << 53 | 1 << 10 | 1 << 2;

/// The end of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    address: u64,
    attributes: u64,
    is_block: bool,
}

/// Walks the tables as the Arm Architecture Reference Manual describes it for stage 1 with
/// addresses of 48 bits, from numbers of its own.
fn walk(tables: &[u64], granule: Granule, address: u64) -> Option<Found> {
    walk_at(tables, granule, address, |table| (table - BASE) / 8)
}

/// The same, with the place in `tables` of the table at each address; the top one is at `BASE`.
fn walk_at(
    tables: &[u64],
    granule: Granule,
    address: u64,
    first_entry: impl Fn(u64) -> u64,
) -> Option<Found> {
    let (page_bits, level_bits, first_level) = match granule {
        Granule::Kib4 => (12, 9, 0),
        Granule::Kib16 => (14, 11, 0),
        Granule::Kib64 => (16, 13, 1),
    };
    let page_mask = (1_u64 << page_bits) - 1;
    let output_mask = ((1_u64 << 48) - 1) & !page_mask;
    let mut table = BASE;
    for level in first_level..=3 {
        let shift = page_bits + (3 - level) * level_bits;
        let bits = level_bits.min(48 - shift);
        let index = (address >> shift) & ((1 << bits) - 1);
        let entry = tables[(first_entry(table) + index) as usize];
        let within = (1 << shift) - 1;
        match (entry & 3, level) {
            (3, 3) | (1, 2) => {
                let output = entry & output_mask;
                assert_eq!(output & within, 0, "{entry:#x} is not aligned");
                return Some(Found {
                    address: output | (address & within),
                    attributes: entry & !output_mask & !3,
                    is_block: level == 2,
                });
            }
            (3, _) => {
                table = entry & output_mask;
                assert_eq!(entry & !output_mask, 3, "a table has no attributes");
            }
            (0, _) => return None,
            (kind, _) => panic!("kind {kind} on level {level}"),
        }
    }
    unreachable!()
}

fn room(tables: u64, granule: Granule) -> Vec<u64> {
    vec![0; (tables * granule.page_len() / 8) as usize]
}

fn map(range: Range, granule: Granule) -> Vec<u64> {
    let mut tables = room(tables_needed(range, granule), granule);
    let mut map = IdentityMap::new(&mut tables, BASE, granule).unwrap();
    map.map(range, MEMORY).unwrap();
    tables
}

#[test]
fn the_numbers_are_those_of_the_architecture() {
    assert_eq!(T0SZ, 16);
    let of = |granule: Granule| {
        (
            granule.page_len(),
            granule.block_len(),
            granule.entries(),
            granule.levels(),
            granule.tg0(),
        )
    };
    assert_eq!(of(Granule::Kib4), (4 << 10, 2 * MIB, 512, 4, 0b00));
    assert_eq!(of(Granule::Kib16), (16 << 10, 32 * MIB, 2048, 4, 0b10));
    assert_eq!(of(Granule::Kib64), (64 << 10, 512 * MIB, 8192, 3, 0b01));
}

#[test]
fn a_region_maps_to_itself_and_nothing_else_is_mapped() {
    let top = 1_u64 << 48;
    for granule in GRANULES {
        for range in [
            range(0x5000_0000, 0x6000_0000),
            // Across 1 GiB, 64 GiB, 512 GiB and half of all addresses.
            range(GIB - 64 * MIB, GIB + 64 * MIB),
            range(64 * GIB - MIB, 64 * GIB + MIB),
            range(512 * GIB - 16 * MIB, 512 * GIB + 16 * MIB),
            range(top / 2 - 4 * MIB, top / 2 + 4 * MIB),
            // The last addresses there are, and the first.
            range(top - 64 * MIB, top),
            range(0, 2 * MIB),
        ] {
            let tables = map(range, granule);
            for address in [range.start(), range.start() + 0x12345, range.end() - 1] {
                let found = walk(&tables, granule, address).expect("mapped");
                assert_eq!((found.address, found.attributes), (address, MEMORY));
            }
            if range.start() > 0 {
                assert_eq!(walk(&tables, granule, range.start() - 1), None);
            }
            if range.end() < top {
                assert_eq!(walk(&tables, granule, range.end()), None);
            }
        }
    }
}

#[test]
fn blocks_are_used_where_they_fit_and_pages_at_the_ends() {
    for granule in GRANULES {
        let (page, block) = (granule.page_len(), granule.block_len());
        let range = range(4 * block - page, 6 * block + page);
        let tables = map(range, granule);
        let is_block = |address| walk(&tables, granule, address).map(|found| found.is_block);
        assert_eq!(is_block(4 * block - 1), Some(false));
        assert_eq!(is_block(4 * block), Some(true));
        assert_eq!(is_block(6 * block - 1), Some(true));
        assert_eq!(is_block(6 * block), Some(false));
        assert_eq!(is_block(6 * block + page), None);
    }
}

#[test]
fn part_of_a_page_is_mapped_as_a_page() {
    for granule in GRANULES {
        let tables = map(range(GIB + 0x123, GIB + 0x124), granule);
        let found = walk(&tables, granule, GIB).unwrap();
        assert!(!found.is_block);
        assert!(walk(&tables, granule, GIB + granule.page_len()).is_none());
    }
}

#[test]
fn what_was_mapped_first_keeps_its_attributes() {
    let region = range(GIB, 2 * GIB);
    for granule in GRANULES {
        let page = range(GIB + 64 * MIB, GIB + 64 * MIB + granule.page_len());
        for order in [[page, region], [region, page]] {
            let tables = tables_needed(page, granule) + tables_needed(region, granule) - 1;
            let mut tables = room(tables, granule);
            let mut map = IdentityMap::new(&mut tables, BASE, granule).unwrap();
            map.map(order[0], DEVICE).unwrap();
            map.map(order[1], MEMORY).unwrap();
            let attributes = |address| walk(&tables, granule, address).unwrap().attributes;
            assert_eq!(attributes(page.start()), DEVICE);
            let rest = match order[0] == page {
                true => MEMORY,
                false => DEVICE,
            };
            for address in [
                region.start(),
                page.start() - 1,
                page.end(),
                region.end() - 1,
            ] {
                assert_eq!(attributes(address), rest, "{granule:?} {address:#x}");
            }
        }
    }
}

#[test]
fn the_kind_of_a_descriptor_is_not_the_caller_s() {
    let region = range(GIB, GIB + 512 * MIB + 64 * 1024);
    for kind in 0..4 {
        let mut tables = room(tables_needed(region, Granule::Kib64), Granule::Kib64);
        let mut map = IdentityMap::new(&mut tables, BASE, Granule::Kib64).unwrap();
        map.map(region, MEMORY | kind).unwrap();
        for address in [region.start(), region.end() - 1] {
            let found = walk(&tables, Granule::Kib64, address).unwrap();
            assert_eq!(found.attributes, MEMORY);
        }
    }
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    let mut tables = room(8, Granule::Kib16);
    for (base, granule) in [
        (BASE + 0x1000, Granule::Kib16),
        (BASE + 8, Granule::Kib4),
        ((1 << 48) - 0x1_0000, Granule::Kib64),
        (!0xffff, Granule::Kib64),
    ] {
        let error = IdentityMap::new(&mut tables, base, granule).err().unwrap();
        let page_len = granule.page_len();
        assert_eq!(error, PageTableError::Base { base, page_len });
        assert_eq!(error.errno(), Errno::Inval);
    }
    let mut map = IdentityMap::new(&mut tables, BASE, Granule::Kib16).unwrap();
    for bits in [1 << 52, 1 << 14, 1 << 47] {
        assert_eq!(
            map.map(range(GIB, 2 * GIB), MEMORY | bits),
            Err(PageTableError::Attributes { bits })
        );
    }
    let high = range((1 << 48) - 1, (1 << 48) + 1);
    let error = map.map(high, MEMORY).unwrap_err();
    assert_eq!(error, PageTableError::TooHigh(high));
    assert_eq!(error.errno(), Errno::AddrNotAvail);
    assert_eq!(
        map.map(range(u64::MAX - 1, u64::MAX), MEMORY),
        Err(PageTableError::TooHigh(range(u64::MAX - 1, u64::MAX)))
    );
    assert!(tables.iter().all(|entry| *entry == 0));
}

#[test]
fn too_few_tables_are_refused() {
    let region = range(0x5000_0000, 0x6000_0000);
    for granule in GRANULES {
        let needed = tables_needed(region, granule);
        let mut tables = room(needed - 1, granule);
        let available = tables.len() / granule.entries();
        let mut map = IdentityMap::new(&mut tables, BASE, granule).unwrap();
        let error = map.map(region, MEMORY).unwrap_err();
        assert_eq!(error, OutOfTables { available }.into());
        assert_eq!(error.errno(), Errno::NoMem);

        let mut less_than_one = room(1, granule);
        less_than_one.pop();
        assert_eq!(
            IdentityMap::new(&mut less_than_one, BASE, granule).err(),
            Some(OutOfTables { available: 0 }.into())
        );
    }
}

fn some_range() -> impl Strategy<Value = Range> {
    // Near a boundary of some table, and not much longer than the largest block.
    let near = (10..48_u32, 0..4_u64, -0x4000_0000..0x4000_0000_i64);
    (near, 1..0x6000_0000_u64).prop_map(|((shift, times, off), len)| {
        let start = (times << shift).saturating_add_signed(off) & ((1 << 48) - 1);
        range(start, (start + len).min(1 << 48))
    })
}

proptest! {
    #[test]
    fn any_range_maps_to_itself_with_the_tables_it_needs(
        range in some_range(),
        granule in prop::sample::select(&GRANULES[..]),
        probes in prop::collection::vec(any::<u64>(), 8),
    ) {
        let needed = tables_needed(range, granule);
        let tables = map(range, granule);
        let covered = range.align_outward(granule.page_len()).unwrap();
        for probe in probes {
            let address = covered.start() + probe % covered.len();
            let found = walk(&tables, granule, address);
            prop_assert_eq!(found.map(|found| found.address), Some(address));
        }
        prop_assert_eq!(walk(&tables, granule, covered.end() - 1).map(|f| f.attributes), Some(MEMORY));
        if covered.start() > 0 {
            prop_assert_eq!(walk(&tables, granule, covered.start() - 1), None);
        }
        if covered.end() < 1 << 48 {
            prop_assert_eq!(walk(&tables, granule, covered.end()), None);
        }
        let mut fewer = room(needed - 1, granule);
        let mut map = IdentityMap::new(&mut fewer, BASE, granule).unwrap();
        prop_assert!(map.map(range, MEMORY).is_err());
    }

    #[test]
    fn two_ranges_need_no_more_tables_than_each_alone(
        first in some_range(),
        second in some_range(),
        granule in prop::sample::select(&GRANULES[..]),
    ) {
        let needed = tables_needed(first, granule) + tables_needed(second, granule) - 1;
        let mut tables = room(needed, granule);
        let mut map = IdentityMap::new(&mut tables, BASE, granule).unwrap();
        prop_assert_eq!(map.map(first, MEMORY), Ok(()));
        prop_assert_eq!(map.map(second, DEVICE), Ok(()));
        for range in [first, second] {
            for address in [range.start(), range.end() - 1] {
                let found = walk(&tables, granule, address);
                prop_assert_eq!(found.map(|found| found.address), Some(address));
            }
        }
    }

    #[test]
    fn a_window_shows_pages_in_their_order_beside_the_place_that_they_are_copied_to(
        start in 0..1_u64 << 48,
        len in 1..0x400_0000_u64,
        code in 0..1_u64 << 46,
        granule in prop::sample::select(&GRANULES[..]),
        stride in 1..9_u64,
    ) {
        let page_len = granule.page_len();
        let place = range(start, (start + len).min(1 << 48)).align_inward(2 << 20);
        prop_assume!(place.is_some_and(|place| !place.is_empty()));
        let (place, code) = (place.unwrap(), range(code, code + 1));
        let window = window(place).unwrap();
        prop_assume!(!window.overlaps(&code));
        // Neither the tables nor the pages follow each other.
        let count = tables_for_window(place, granule);
        let mut addresses: Vec<u64> = (0..count).map(|i| (i * stride * 2 + 1) << 17).collect();
        addresses[0] = BASE & !(page_len - 1);
        let pages = (0..place.len() / page_len).map(|i| (i * stride + 1) * page_len);
        let pages: Vec<u64> = pages.collect();
        let mut tables = room(count, granule);
        let mut map = IdentityMap::scattered(&mut tables, &addresses, granule).unwrap();
        prop_assert_eq!(map.map(place, MEMORY), Ok(()));
        prop_assert_eq!(map.map(code, MEMORY), Ok(()));
        prop_assert_eq!(map.map_pages(window.start(), &pages, MEMORY), Ok(()));
        let of = |address| {
            let found = walk_at(&tables, granule, address, |table| {
                let index = addresses.iter().position(|found| *found == table);
                index.unwrap_or(0) as u64 * page_len / 8
            });
            found.map(|found| found.address)
        };
        let mut probes = pages.iter().zip((window.start()..).step_by(page_len as usize));
        prop_assert!(probes.all(|(page, at)| of(at + 0x123) == Some(page + 0x123)));
        for identical in [place.start(), place.end() - 1, code.start()] {
            prop_assert_eq!(of(identical), Some(identical));
        }
    }
}

#[test]
fn an_address_that_is_mapped_is_no_window() {
    for granule in GRANULES {
        let page_len = granule.page_len();
        let mut tables = room(20, granule);
        let mut map = IdentityMap::new(&mut tables, BASE, granule).unwrap();
        let block = range(granule.block_len(), 2 * granule.block_len());
        map.map(block, MEMORY).unwrap();
        map.map_pages(0, &[page_len], MEMORY).unwrap();
        map.map_pages(0, &[page_len], MEMORY).unwrap();
        for (at, page) in [(block.start(), 0), (0, 5 * page_len)] {
            let error = map.map_pages(at, &[page], MEMORY).unwrap_err();
            assert_eq!(error, PageTableError::InUse(at));
            assert_eq!(error.errno(), Errno::AddrNotAvail);
        }
        let high = map.map_pages((1 << 48) - page_len, &[0, page_len], MEMORY);
        assert!(matches!(high, Err(PageTableError::TooHigh(_))));
        let addresses = [page_len, 8];
        let odd = IdentityMap::scattered(&mut tables, &addresses, granule);
        assert_eq!(odd.err(), Some(PageTableError::Base { base: 8, page_len }));
    }
}
