// SPDX-License-Identifier: GPL-2.0

//! Where large pages can map the dump.

use kexec_core::{
    dump::{
        elfcorehdr::Load,
        vmcore::{
            large_pages::{
                alignment,
                large_page_at_start,
                large_part,
                LARGE_PAGE, //
            },
            Layout,
            Source, //
        }, //
    },
    types::ranges::{
        Range,
        PAGE_SIZE, //
    }, //
};
use proptest::prelude::*;

use super::Dump;
use crate::fixture::{
    range,
    GIB,
    MIB, //
};

#[test]
fn large_pages_map_what_both_addresses_have_aligned() {
    let memory = range(0x30_1000, 0x90_3000);
    assert_eq!(
        large_part(memory, 0x7f00_0010_1000),
        Some(range(0x40_0000, 0x80_0000))
    );
    assert_eq!(large_part(memory, 0x7f00_0000_0000), None);
    assert_eq!(large_part(memory, 0x7f00_0010_2000), None);
    // A large page would fit in its length, but not in its place.
    assert_eq!(large_part(range(0x30_0000, 0x5f_f000), 0x10_0000), None);
    assert_eq!(
        large_part(range(0x40_0000, 0x60_0000), 0),
        Some(range(0x40_0000, 0x60_0000))
    );
}

#[test]
fn a_large_page_is_whole() {
    let page = range(0x40_0000, 0x60_0000);
    assert_eq!(large_page_at_start(page), Some(page));
    assert_eq!(large_page_at_start(range(0x40_0000, GIB)), Some(page));
    assert_eq!(large_page_at_start(range(0x40_0000, 0x5f_f000)), None);
    assert_eq!(large_page_at_start(range(0x40_1000, GIB)), None);
}

fn dump() -> (Layout, Vec<u8>) {
    let load = |virtual_address, memory| Load {
        virtual_address,
        memory,
    };
    let loads = [
        load(0x1000, range(0x1000, 0x9_fc00)),
        load(GIB, range(GIB + 0x5000, GIB + 9 * MIB)),
        load(4 * GIB, range(4 * GIB, 4 * GIB + 64 * MIB)),
    ];
    let Dump { layout, header, .. } = Dump::new(&loads, 0x500, PAGE_SIZE);
    (layout, header)
}

proptest! {
    /// However much of the file is mapped at such an address: large pages map the longest piece of
    /// memory in it but for its ends.
    #[test]
    fn the_longest_piece_is_aligned(
        start in 0..75 * MIB / PAGE_SIZE,
        len in 1..75 * MIB / PAGE_SIZE,
    ) {
        let (layout, header) = dump();
        let end = ((start + len) * PAGE_SIZE).min(layout.size());
        prop_assume!(start * PAGE_SIZE < end);
        let part = range(start * PAGE_SIZE, end);
        let address = alignment(&layout, &header, part);
        prop_assert!(address < LARGE_PAGE);

        let mut longest: Option<(u64, Range)> = None;
        let mut offset = part.start();
        while let Some(piece) = layout.locate(&header, offset).filter(|_| offset < part.end()) {
            let len = piece.len.min(part.end() - offset);
            if let Source::Memory(memory) = piece.source {
                if longest.is_none_or(|(_, found)| found.len() < len) {
                    longest = Some((offset, Range::from_start_len(memory, len).unwrap()));
                }
            }
            offset += len;
        }
        if let Some((offset, memory)) = longest {
            let virtual_address = 0x7f00_0000_0000 + address + (offset - part.start());
            prop_assert_eq!(
                large_part(memory, virtual_address),
                memory.align_inward(LARGE_PAGE).filter(|large| !large.is_empty())
            );
        }
    }

    /// The parts before and after large pages are shorter than one.
    #[test]
    fn little_is_left_to_small_pages(start in 0..GIB / PAGE_SIZE, len in 1..GIB / PAGE_SIZE) {
        let memory = Range::from_start_len(start * PAGE_SIZE, len * PAGE_SIZE).unwrap();
        match large_part(memory, memory.start()) {
            Some(large) => {
                prop_assert!(memory.encloses(&large));
                prop_assert!(large.start() - memory.start() < LARGE_PAGE);
                prop_assert!(memory.end() - large.end() < LARGE_PAGE);
            }
            None => prop_assert!(memory.len() < 2 * LARGE_PAGE),
        }
    }
}
