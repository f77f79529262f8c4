// SPDX-License-Identifier: GPL-2.0

//! Memory that is left out of the dump, and the holes that it makes in the file.

use kexec_core::{
    dump::{
        elfcorehdr::Load,
        vmcore::{
            excluded::{
                Excluded,
                ExcludedError,
                Run,
                EXCLUDED_MAX, //
            },
            Layout,
            Wanted, //
        }, //
    },
    types::errno::Errno, //
};
use proptest::prelude::*;

use super::Dump;
use crate::fixture::range;

const PAGE: u64 = 4096;

#[test]
fn a_list_is_read_in_whole_pages() {
    let list = Excluded::parse(b"0x1001-0x2fff,8192-0x4000,0x10000-0x11000\n", PAGE).unwrap();
    let memory = |start, end| Run::Memory(range(start, end));
    let zeros = |start, end| Run::Zeros(range(start, end));
    for (wanted, run) in [
        (range(0, 0x9000), memory(0, 0x1000)),
        (range(0x1000, 0x9000), zeros(0x1000, 0x4000)),
        (range(0x3000, 0x3800), zeros(0x3000, 0x3800)),
        (range(0x4000, 0x9000), memory(0x4000, 0x9000)),
        (range(0x4000, 0x1_0001), memory(0x4000, 0x1_0000)),
        (range(0x1_1000, 0x1_2000), memory(0x1_1000, 0x1_2000)),
    ] {
        assert_eq!(list.first_run(wanted), run, "{wanted}");
    }
    assert_eq!(
        list.to_string(),
        "2 pieces of memory with 0x4000 bytes (16 KiB)"
    );
    assert!(!list.is_empty());
    let large = Excluded::parse(b"0x1001-0x2fff,0x10000-0x11000", 64 << 10).unwrap();
    assert_eq!(
        large.first_run(range(0, 0x9_0000)),
        Run::Zeros(range(0, 0x2_0000))
    );
    for nothing in [&b""[..], b"\n"] {
        assert!(Excluded::parse(nothing, PAGE).unwrap().is_empty());
    }
}

#[test]
fn what_is_no_list_is_refused_with_its_place() {
    for (text, number) in [
        ("x", 1),
        ("0x1000", 1),
        ("0x1000-", 1),
        ("-0x1000", 1),
        ("0x2000-0x1000", 1),
        ("0x1000-0x1000", 1),
        ("0x1000-0x2000,", 2),
        ("0x1000-0x2000,0x3000-0x4000-0x5000", 2),
        ("0x1000-0x2000, 0x3000-0x4000", 2),
        ("0x+1000-0x2000", 1),
        ("+4096-8192", 1),
        ("0x1000-0xffffffffffffffff", 1),
        ("0x1000-0x10000000000000000", 1),
        ("\u{e9}-0x1000", 1),
    ] {
        let error = Excluded::parse(text.as_bytes(), PAGE).unwrap_err();
        assert_eq!(error, ExcludedError::Entry { number }, "{text}");
        assert_eq!(error.errno(), Errno::Inval);
    }
    let many: Vec<String> = (0..=EXCLUDED_MAX as u64)
        .map(|n| format!("{:#x}-{:#x}", n * 2 * PAGE, (n * 2 + 1) * PAGE))
        .collect();
    assert!(Excluded::parse(many[1..].join(",").as_bytes(), PAGE).is_ok());
    let error = Excluded::parse(many.join(",").as_bytes(), PAGE).unwrap_err();
    assert_eq!(error, ExcludedError::TooMany);
    assert_eq!(error.errno(), Errno::NoMem);
}

/// A dump of these pieces of memory, with a page of notes.
fn layout(pieces: &[(u64, u64)]) -> (Layout, Vec<u8>) {
    let loads: Vec<Load> = pieces
        .iter()
        .map(|(start, end)| Load {
            virtual_address: 0xffff_8880_0000_0000 + start,
            memory: range(*start, *end),
        })
        .collect();
    let Dump { layout, header, .. } = Dump::new(&loads, 100, PAGE);
    (layout, header)
}

#[test]
fn excluded_pages_are_holes_and_all_else_is_data() {
    let (layout, header) = layout(&[(0x1_0000, 0x1_4000), (0x2_0000, 0x2_2000)]);
    assert_eq!(layout.size(), 8 * PAGE);
    let excluded = Excluded::parse(b"0x11000-0x12000,0x13000-0x21000", PAGE).unwrap();
    let data = |offset| layout.seek(&header, &excluded, offset, Wanted::Data);
    let hole = |offset| layout.seek(&header, &excluded, offset, Wanted::Hole);
    assert_eq!((data(0), hole(0)), (Some(0), Some(3 * PAGE)));
    assert_eq!((data(5), hole(2 * PAGE)), (Some(5), Some(3 * PAGE)));
    assert_eq!(
        (data(3 * PAGE), hole(3 * PAGE)),
        (Some(4 * PAGE), Some(3 * PAGE))
    );
    assert_eq!(
        (data(3 * PAGE + 7), hole(3 * PAGE + 7)),
        (Some(4 * PAGE), Some(3 * PAGE + 7))
    );
    // The hole at the end of one piece goes on at the start of the next.
    assert_eq!(
        (data(4 * PAGE), hole(4 * PAGE)),
        (Some(4 * PAGE), Some(5 * PAGE))
    );
    assert_eq!(
        (data(5 * PAGE), hole(5 * PAGE)),
        (Some(7 * PAGE), Some(5 * PAGE))
    );
    // The file's end is a hole, and nothing follows it.
    assert_eq!(
        (data(7 * PAGE), hole(7 * PAGE)),
        (Some(7 * PAGE), Some(8 * PAGE))
    );
    assert_eq!((data(8 * PAGE), hole(8 * PAGE)), (None, None));
    assert_eq!((data(u64::MAX), hole(u64::MAX)), (None, None));

    let rest = Excluded::parse(b"0x21000-0x40000", PAGE).unwrap();
    assert_eq!(layout.seek(&header, &rest, 7 * PAGE, Wanted::Data), None);
}

proptest! {
    /// Going from data to hole and back passes each excluded page once.
    #[test]
    fn holes_are_the_excluded_pages(pages in prop::collection::btree_set(0..64_u64, 0..20)) {
        let (layout, header) = layout(&[(0x1_0000, 0x3_0000), (0x8_0000, 0xa_0000)]);
        let start = |page: u64| if page < 32 { 0x1_0000 + page * PAGE } else { 0x8_0000 + (page - 32) * PAGE };
        let text: Vec<String> = pages
            .iter()
            .map(|page| format!("{:#x}-{:#x}", start(*page), start(*page) + PAGE))
            .collect();
        let excluded = Excluded::parse(text.join(",").as_bytes(), PAGE).unwrap();
        let mut found = Vec::new();
        let mut offset = 0;
        while let Some(hole) = layout.seek(&header, &excluded, offset, Wanted::Hole) {
            let end = layout.seek(&header, &excluded, hole, Wanted::Data).unwrap_or(layout.size());
            found.extend((hole..end).step_by(PAGE as usize).map(|at| at / PAGE - 2));
            if end == layout.size() {
                break;
            }
            offset = end;
        }
        prop_assert_eq!(found, pages.into_iter().collect::<Vec<_>>());
    }
}
