// SPDX-License-Identifier: GPL-2.0

//! Reading device trees, and refusing malformed ones.

use kexec_core::{
    handover::arm64::fdt::{
        self,
        take_number,
        Cells,
        Fdt,
        FdtError,
        Token,
        DEPTH_MAX,
        HEADER_LEN,
        NAME_LEN_MAX, //
    },
    types::errno::Errno, //
};
use proptest::prelude::*;

use super::tree::{
    any::{
        any_layout,
        any_tree, //
    },
    cells,
    running,
    Layout,
    Node,
    Tree, //
};
use crate::fixture::{
    put,
    range, //
};

/// Builds a tree as a value from the crate's readers.
fn read(bytes: &[u8]) -> Result<Tree, FdtError> {
    let tree = Fdt::parse(bytes)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut open = vec![];
    let mut root = None;
    for token in tree.tokens() {
        match token {
            Token::BeginNode(name) => open.push(Node::new(&text(name))),
            Token::Property(property) => {
                let node: &mut Node = open.last_mut().unwrap();
                let name = text(property.name);
                node.properties.push((name, property.value.to_vec()));
            }
            Token::EndNode => {
                let node = open.pop().unwrap();
                match open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => root = Some(node),
                }
            }
        }
    }
    Ok(Tree {
        reservations: tree.reservations().map(|r| (r.start(), r.len())).collect(),
        boot_cpuid_phys: tree.header().boot_cpuid_phys,
        root: root.unwrap(),
    })
}

fn refused(bytes: &[u8]) -> FdtError {
    let error = Fdt::parse(bytes).expect_err("the tree is not good");
    assert_eq!(error.errno(), Errno::Inval);
    error
}

/// A tree whose structure block has these numbers, before its end.
fn with_structure(tokens: &[u32]) -> Vec<u8> {
    let mut bytes = Tree::new(Node::new("")).encode(Layout::default());
    let at = u32::from_be_bytes(bytes[8..12].try_into().unwrap()) as usize;
    bytes.truncate(at);
    bytes.extend(cells(tokens));
    let end = bytes.len() as u32;
    put(&mut bytes, 12, &cells(&[end]));
    bytes.extend(b"name\0");
    let len = bytes.len() as u32;
    put(&mut bytes, 4, &cells(&[len]));
    put(&mut bytes, 32, &cells(&[5, tokens.len() as u32 * 4]));
    bytes
}

#[test]
fn a_tree_is_read_whatever_its_layout() {
    for (strings_first, nops, gap) in [(false, false, 0), (true, true, 0), (true, false, 0x1000)] {
        let layout = Layout {
            strings_first,
            nops,
            gap,
        };
        let mut bytes = running().encode(layout);
        assert_eq!(read(&bytes).unwrap(), running());
        bytes.extend([0xff; 100]);
        assert_eq!(read(&bytes).unwrap(), running(), "with bytes after");
    }
}

#[test]
fn nodes_are_found_by_their_path() {
    let bytes = running().encode(Layout::default());
    let tree = Fdt::parse(&bytes).unwrap();
    let name = |path: &str| tree.node(path.as_bytes()).map(|node| node.name());

    assert_eq!(name("/"), Some(&b""[..]));
    assert_eq!(name("/chosen"), Some(&b"chosen"[..]));
    assert_eq!(name("/chosen/"), Some(&b"chosen"[..]));
    assert_eq!(name("/memory@40000000"), Some(&b"memory@40000000"[..]));
    // Without its unit address.
    assert_eq!(name("/memory"), Some(&b"memory@40000000"[..]));
    assert_eq!(
        name("/reserved-memory/firmware"),
        Some(&b"firmware@7f000000"[..])
    );
    for path in [
        "",
        "chosen",
        "/mem",
        "/memory@4",
        "/chosen/psci",
        "/firmware",
    ] {
        assert_eq!(name(path), None, "{path}");
    }
    let names: Vec<_> = tree.root().children().map(|node| node.name()).collect();
    assert_eq!(
        names,
        [
            &b"memory@40000000"[..],
            b"reserved-memory",
            b"chosen",
            b"pl011@9000000",
            b"psci"
        ]
    );
    assert_eq!(tree.nodes().count(), 8);
}

#[test]
fn an_iterator_that_has_ended_stays_so() {
    let bytes = running().encode(Layout::default());
    let tree = Fdt::parse(&bytes).unwrap();
    let mut children = tree.node(b"/reserved-memory").unwrap().children();
    assert!(children.next().is_some());
    assert!(children.next().is_none());
    assert!(children.next().is_none());
    let mut tokens = tree.tokens();
    assert!(tokens.by_ref().count() > 0);
    assert!(tokens.next().is_none());
}

#[test]
fn properties_are_read_as_what_they_are() {
    let root = Node::new("")
        .with("number", &cells(&[7]))
        .with("two", &cells(&[7, 8]))
        .with("compatible", b"one,a\0one\0")
        .with("status", b"disabled\0");
    let bytes = Tree::new(root).encode(Layout::default());
    let root = Fdt::parse(&bytes).unwrap().root();
    assert_eq!(root.number("number"), Some(7));
    assert_eq!(root.number("two"), None);
    assert_eq!(root.number("none"), None);
    assert_eq!(root.string("compatible"), Some(&b"one,a"[..]));
    assert!(root.is_compatible("one") && root.is_compatible("one,a"));
    assert!(!root.is_compatible("one,") && !root.is_compatible("a"));
    assert!(!root.is_available());
    // The kernel's default where the root says nothing.
    assert_eq!(
        root.cells(),
        Cells {
            address: 1,
            size: 1
        }
    );
}

#[test]
fn a_number_has_as_many_cells_as_it_is_said_to_have() {
    let value = cells(&[1, 2, 3]);
    assert_eq!(take_number(&value, 0), Some((0, &value[..])));
    assert_eq!(take_number(&value, 1), Some((1, &value[4..])));
    assert_eq!(take_number(&value, 2), Some((0x1_0000_0002, &value[8..])));
    assert_eq!(take_number(&value, 3), Some((0x2_0000_0003, &[][..])));
    assert_eq!(take_number(&value, 4), None);
    assert_eq!(take_number(&value, u32::MAX), None);
}

#[test]
fn what_is_no_tree_is_refused() {
    let good = running().encode(Layout::default());
    assert_eq!(refused(&good[..39]), FdtError::TooShort { len: 39 });
    assert_eq!(
        refused(b"MZ").to_string(),
        "the device tree has 2 bytes, but its header alone has 40"
    );
    let with = |offset: usize, number: u32| {
        let mut bytes = good.clone();
        put(&mut bytes, offset, &number.to_be_bytes());
        bytes
    };
    assert_eq!(
        refused(&with(0, 0xedfe_0dd0)).to_string(),
        "this is not a flattened device tree: it starts with 0xedfe0dd0, not 0xd00dfeed"
    );
    assert_eq!(
        refused(&with(20, 16)).to_string(),
        "the device tree has version 16, compatible from 16 on, but version 17 is needed: \
         convert it with dtc"
    );
    assert_eq!(
        refused(&with(24, 18)),
        FdtError::Version {
            found: 17,
            last_comp_version: 18
        }
    );
    assert!(Fdt::parse(&with(20, 18)).is_ok(), "a newer, compatible one");
    let len = Fdt::len_to_read(&good).unwrap();
    let error = FdtError::Truncated {
        len: len - 1,
        totalsize: good.len() as u32,
    };
    assert_eq!(refused(&good[..len - 1]), error);
}

#[test]
fn a_block_outside_of_the_tree_is_refused() {
    let good = running().encode(Layout::default());
    let len = good.len() as u32;
    let cases = [
        (8, len, "structure"),
        (8, 0, "structure"),
        (8, 42, "structure"),
        (8, u32::MAX - 3, "structure"),
        (36, u32::MAX, "structure"),
        (12, len, "strings"),
        (12, 39, "strings"),
        (32, len, "strings"),
        (16, 44, "memory reservation"),
        (16, 0, "memory reservation"),
        (16, len.next_multiple_of(8) + 8, "memory reservation"),
    ];
    for (offset, number, wanted) in cases {
        let mut bytes = good.clone();
        put(&mut bytes, offset, &number.to_be_bytes());
        match refused(&bytes) {
            FdtError::Block { name, .. } => assert_eq!(name, wanted, "{offset} {number:#x}"),
            error => panic!("{offset} {number:#x}: {error:?}"),
        }
    }
}

#[test]
fn reservations_that_are_no_ranges_or_do_not_end_are_refused() {
    let tree = Tree {
        reservations: vec![(0x1000, 0x1000), (u64::MAX, 2)],
        ..Tree::new(Node::new(""))
    };
    assert_eq!(
        refused(&tree.encode(Layout::default())),
        FdtError::Reservation { index: 1 }
    );
    // The block is at the very end, and has one entry.
    let mut bytes = Tree::new(Node::new("")).encode(Layout::default());
    let len = bytes.len().next_multiple_of(8);
    bytes.resize(len, 0);
    bytes.extend(cells(&[0, 1, 0, 1]));
    put(&mut bytes, 16, &cells(&[len as u32]));
    put(&mut bytes, 4, &cells(&[len as u32 + 16]));
    assert_eq!(refused(&bytes), FdtError::Reservation { index: 1 });
}

#[test]
fn nodes_that_do_not_nest_are_refused() {
    let nesting = |offset| FdtError::Nesting { offset };
    let cases: &[(&str, &[u32], FdtError)] = &[
        ("nothing", &[], FdtError::Cut { offset: 0 }),
        ("no root", &[9], nesting(0)),
        ("an open root", &[1, 0, 9], nesting(8)),
        ("no end", &[1, 0, 2], FdtError::Cut { offset: 12 }),
        ("two roots", &[1, 0, 2, 1, 0, 2, 9], nesting(12)),
        ("an end too many", &[1, 0, 2, 2, 9], nesting(12)),
        ("a property without a node", &[3, 0, 0, 9], nesting(0)),
        (
            "a property after a subnode",
            &[1, 0, 1, 0x6100_0000, 2, 3, 0, 0, 2, 9],
            nesting(20),
        ),
        (
            "a property after the root",
            &[1, 0, 2, 3, 0, 0, 9],
            nesting(12),
        ),
        (
            "an unknown token",
            &[1, 0, 5, 2, 9],
            FdtError::Token {
                offset: 8,
                found: 5,
            },
        ),
        (
            "a name that does not end",
            &[1, 0x6161_6161],
            FdtError::Name { offset: 0 },
        ),
        (
            "a value that does not end",
            &[1, 0, 3, 100, 0, 2, 9],
            FdtError::Cut { offset: 8 },
        ),
        (
            "a value of the longest length",
            &[1, 0, 3, u32::MAX, 0, 2, 9],
            FdtError::Cut { offset: 8 },
        ),
        (
            "a name outside of the strings",
            &[1, 0, 3, 0, 5, 2, 9],
            FdtError::Name { offset: 8 },
        ),
        ("only what is skipped", &[4, 4], FdtError::Cut { offset: 8 }),
    ];
    for (what, tokens, error) in cases {
        assert_eq!(refused(&with_structure(tokens)), *error, "{what}");
    }
    assert!(Fdt::parse(&with_structure(&[4, 1, 0, 3, 0, 1, 2, 4, 9])).is_ok());
    assert_eq!(
        refused(&with_structure(&[1, 0, 5, 2, 9])).to_string(),
        "the device tree has the unknown token 0x5 at 0x8 of its structure block: the tree is \
         damaged"
    );
}

#[test]
fn depth_and_names_have_a_limit() {
    let nested = |depth: usize| {
        let mut tokens = [1, 0].repeat(depth);
        tokens.extend(vec![2; depth]);
        tokens.push(9);
        with_structure(&tokens)
    };
    assert!(Fdt::parse(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(
        refused(&nested(DEPTH_MAX + 1)),
        FdtError::Depth {
            offset: DEPTH_MAX * 8
        }
    );
    let named =
        |len| Tree::new(Node::new("").with(&"x".repeat(len), b"")).encode(Layout::default());
    assert!(Fdt::parse(&named(NAME_LEN_MAX)).is_ok());
    assert_eq!(
        refused(&named(NAME_LEN_MAX + 1)),
        FdtError::Name { offset: 8 }
    );
}

#[test]
fn a_reservation_without_size_ends_the_list() {
    let tree = Tree {
        reservations: vec![(0x1000, 0x1000), (0x3000, 0), (0x5000, 0x1000)],
        ..Tree::new(Node::new(""))
    };
    let bytes = tree.encode(Layout::default());
    let tree = Fdt::parse(&bytes).unwrap();
    assert!(tree.reservations().eq([range(0x1000, 0x2000)]));
}

proptest! {
    #[test]
    fn any_tree_is_read_as_it_is(tree in any_tree(), layout in any_layout()) {
        prop_assert_eq!(read(&tree.encode(layout)).unwrap(), tree);
    }

    #[test]
    fn the_room_behind_the_blocks_need_not_be_read(
        tree in any_tree(),
        layout in any_layout(),
        room in 0_u32..100_000,
    ) {
        let mut bytes = tree.encode(layout);
        let totalsize = bytes.len() as u32 + room;
        put(&mut bytes, 4, &totalsize.to_be_bytes());
        let len = Fdt::len_to_read(&bytes[..HEADER_LEN]).unwrap();
        prop_assert!(len <= totalsize as usize);
        // Where the reservations come last, nothing tells where they end.
        bytes.resize(len.max(bytes.len()), 0);
        prop_assert_eq!(read(&bytes[..len]).unwrap(), tree);
        prop_assert!(read(&bytes[..len - 1]).is_err());
    }

    #[test]
    fn damage_is_refused_or_does_no_harm(
        tree in any_tree(),
        layout in any_layout(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = tree.encode(layout);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(tree) = Fdt::parse(bytes) {
                for node in tree.nodes() {
                    prop_assert!(node.children().count() <= bytes.len());
                    prop_assert!(node.properties().count() <= bytes.len());
                }
                let _ = tree.node(b"/chosen/a/b");
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Fdt::parse(&bytes);
        if bytes.len() >= fdt::HEADER_LEN {
            let len = bytes.len() as u32;
            put(&mut bytes, 0, &cells(&[fdt::MAGIC, len, 40, 40, 40, 17, 16, 0, len - 40, len - 40]));
            let _ = Fdt::parse(&bytes);
        }
    }
}
