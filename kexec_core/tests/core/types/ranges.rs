// SPDX-License-Identifier: GPL-2.0

//! Range algebra, compared with sets of single addresses.

use std::collections::BTreeSet;

use kexec_core::types::ranges::{
    without,
    CapacityError,
    Range,
    RangeList, //
};
use proptest::prelude::*;

use crate::fixture::range;

/// The addresses of a range, for ranges that are short.
fn addresses(range: &Range) -> BTreeSet<u64> {
    (range.start()..range.end()).collect()
}

fn small_range() -> impl Strategy<Value = Range> {
    (0..64_u64, 0..24_u64).prop_map(|(start, len)| range(start, start + len))
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Push(Range),
    Subtract(Range),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        small_range().prop_map(Operation::Push),
        small_range().prop_map(Operation::Subtract),
    ]
}

/// How many separate pieces a set of addresses has.
fn pieces(set: &BTreeSet<u64>) -> usize {
    set.iter()
        .filter(|address| **address == 0 || !set.contains(&(**address - 1)))
        .count()
}

proptest! {
    #[test]
    fn list_is_a_set_of_addresses(operations in prop::collection::vec(operation(), 0..40)) {
        const N: usize = 4;
        let mut list = RangeList::<N>::new();
        let mut model = BTreeSet::new();
        for operation in operations {
            let before = list.as_slice().to_vec();
            let (result, expected) = match operation {
                Operation::Push(range) => (
                    list.push(range),
                    model.union(&addresses(&range)).copied().collect::<BTreeSet<_>>(),
                ),
                Operation::Subtract(range) => (
                    list.subtract(range),
                    model.difference(&addresses(&range)).copied().collect(),
                ),
            };
            if pieces(&expected) > N {
                prop_assert_eq!(result, Err(CapacityError { capacity: N }));
                prop_assert_eq!(list.as_slice(), before);
                continue;
            }
            prop_assert_eq!(result, Ok(()));
            model = expected;

            let found: BTreeSet<u64> = list.iter().flat_map(addresses).collect();
            prop_assert_eq!(&found, &model);
            prop_assert_eq!(list.total_len(), model.len() as u64);
            prop_assert!(list.iter().all(|range| !range.is_empty()));
            // Sorted, and with a gap between neighbours.
            prop_assert!(list.as_slice().windows(2).all(|pair| pair[0].end() < pair[1].start()));
        }
    }

    #[test]
    fn what_is_left_without_holes_is_the_difference_of_sets(
        mut ranges in prop::collection::vec(
            (0..4096_u64, 0..24_u64).prop_map(|(start, len)| range(start, start + len)),
            0..300,
        ),
        holes in prop::collection::vec(
            (0..4096_u64, 0..200_u64).prop_map(|(start, len)| range(start, start + len)),
            0..8,
        ),
    ) {
        ranges.sort_by_key(Range::start);
        let set = |ranges: &[Range]| ranges.iter().flat_map(addresses).collect::<BTreeSet<_>>();
        let left: Vec<Range> = without(ranges.iter().copied(), &holes).collect();
        let expected: BTreeSet<u64> = set(&ranges).difference(&set(&holes)).copied().collect();
        prop_assert_eq!(left.len(), pieces(&expected));
        prop_assert_eq!(set(&left), expected);
        prop_assert!(left.windows(2).all(|pair| pair[0].end() < pair[1].start()));
    }

    #[test]
    fn relations_are_those_of_sets(a in small_range(), b in small_range(), address in 0..96_u64) {
        let (set_a, set_b) = (addresses(&a), addresses(&b));
        prop_assert_eq!(a.len(), set_a.len() as u64);
        prop_assert_eq!(a.is_empty(), set_a.is_empty());
        prop_assert_eq!(a.contains(address), set_a.contains(&address));
        prop_assert_eq!(a.overlaps(&b), !set_a.is_disjoint(&set_b));
        if !b.is_empty() {
            prop_assert_eq!(a.encloses(&b), set_b.is_subset(&set_a));
        }
        let hull = a.hull(&b);
        prop_assert!(hull.encloses(&a) && hull.encloses(&b));
        prop_assert!([a.start(), b.start()].contains(&hull.start()));
        prop_assert!([a.end(), b.end()].contains(&hull.end()));
        let common: BTreeSet<u64> = a.intersection(&b).iter().flat_map(addresses).collect();
        prop_assert_eq!(common, set_a.intersection(&set_b).copied().collect());
    }

    #[test]
    fn alignment_is_tight(start: u64, len: u64, shift in 0..64_u32) {
        let Some(range) = Range::from_start_len(start, len) else {
            return Ok(());
        };
        let alignment = 1_u64 << shift;
        if let Some(outer) = range.align_outward(alignment) {
            prop_assert!(outer.encloses(&range));
            prop_assert_eq!((outer.start() % alignment, outer.end() % alignment), (0, 0));
            prop_assert!(range.start() - outer.start() < alignment);
            prop_assert!(outer.end() - range.end() < alignment);
        } else {
            prop_assert!(range.end() > u64::MAX - alignment + 1);
        }
        if let Some(inner) = range.align_inward(alignment) {
            prop_assert!(range.encloses(&inner));
            prop_assert_eq!((inner.start() % alignment, inner.end() % alignment), (0, 0));
            prop_assert!(inner.start() - range.start() < alignment);
            prop_assert!(range.end() - inner.end() < alignment);
        }
    }
}

#[test]
fn a_range_does_not_end_before_it_starts_nor_leave_the_address_space() {
    assert_eq!(Range::new(2, 1), None);
    assert_eq!(Range::from_start_len(u64::MAX, 1), None);
    assert!(Range::new(1, 1).is_some_and(|range| range.is_empty()));
    assert_eq!(Range::from_start_len(0, u64::MAX), Some(Range::ALL));
}

#[test]
fn an_alignment_that_is_no_power_of_two_is_refused() {
    for alignment in [0, 3, 4095, u64::MAX] {
        assert_eq!(range(0, 0x5000).align_outward(alignment), None);
        assert_eq!(range(0, 0x5000).align_inward(alignment), None);
    }
}

#[test]
fn a_range_without_a_whole_page_has_no_pages() {
    assert_eq!(range(0x1001, 0x1fff).align_inward(0x1000), None);
    assert_eq!(
        range(0x1001, 0x1fff).align_outward(0x1000),
        Some(range(0x1000, 0x2000))
    );
}

#[test]
fn ranges_are_shown_in_hexadecimal() {
    assert_eq!(range(0x1000, 0x2f00).to_string(), "0x1000-0x2f00");
}

#[test]
fn neighbours_merge_although_the_list_is_full() {
    let mut list = RangeList::<2>::new();
    list.push(range(0, 1)).unwrap();
    list.push(range(2, 3)).unwrap();
    list.push(range(1, 2)).unwrap();
    assert_eq!(list.as_slice(), [range(0, 3)]);
}
