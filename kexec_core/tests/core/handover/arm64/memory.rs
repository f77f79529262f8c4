// SPDX-License-Identifier: GPL-2.0

//! The memory in a device tree: RAM, what is reserved, and what of that is there to be named.

use kexec_core::{
    handover::{
        arm64::{
            device_tree::{
                next_tree,
                tree_len_bound,
                Changes, //
            },
            fdt::Fdt,
            memory::{
                ram,
                reserved,
                Reserved, //
            }, //
        },
        CaptureMemory,
        UsableMemory, //
    },
    types::ranges::Range, //
};

use super::{
    device_tree::{
        changes,
        memory, //
    },
    tree::{
        cells,
        running,
        Layout,
        Node,
        Tree, //
    }, //
};
use crate::fixture::range;

const KEPT: Range = match Range::new(0x6000_0000, 0x7000_0000) {
    Some(kept) => kept,
    None => Range::ALL,
};

/// A node that reserves [`KEPT`] for whoever names it.
fn kept() -> Node {
    Node::new("capture@60000000")
        .with("reg", &cells(&[0, 0x6000_0000, 0, 0x1000_0000]))
        .with("no-map", b"")
}

/// The running machine's tree with one more node for reserved memory.
fn with(node: Node) -> Tree {
    let mut tree = running();
    let mut children = tree.root.children.iter_mut();
    let parent = children.find(|child| child.name == "reserved-memory");
    parent.expect("reserved-memory").children.insert(0, node);
    tree
}

fn reserved_in(tree: &Tree) -> Vec<(Range, bool)> {
    let bytes = tree.encode(Layout::default());
    let tree = Fdt::parse(&bytes).unwrap();
    let pair = |Reserved { range, is_free }| (range, is_free);
    reserved(&tree).map(pair).collect()
}

#[test]
fn ram_is_that_of_all_nodes() {
    let mut tree = running();
    tree.root.children.push(
        Node::new("memory@100000000")
            .with("device_type", b"memory\0")
            .with("reg", &cells(&[1, 0, 0, 0x1000, 2, 0, 1, 0])),
    );
    // Neither its name nor a status makes it memory.
    tree.root.children.push(
        Node::new("memory@300000000")
            .with("device_type", b"memory\0")
            .with("status", b"disabled\0")
            .with("reg", &cells(&[3, 0, 0, 0x1000])),
    );
    tree.root
        .children
        .push(Node::new("memory@400000000").with("reg", &cells(&[4, 0, 0, 0x1000])));
    let bytes = tree.encode(Layout::default());
    let tree = Fdt::parse(&bytes).unwrap();
    let found: Vec<Range> = ram(&tree).collect();
    assert_eq!(
        found,
        [
            range(0x4000_0000, 0x8000_0000),
            range(0x1_0000_0000, 0x1_0000_1000),
            range(0x2_0000_0000, 0x3_0000_0000),
        ]
    );
}

#[test]
fn a_truncated_reg_has_the_ranges_before_and_none_without_cells() {
    let tree = |reg: &[u32], size_cells: u32| {
        let root = Node::new("")
            .with("#address-cells", &cells(&[0]))
            .with("#size-cells", &cells(&[size_cells]));
        let memory = Node::new("memory").with("device_type", b"memory\0");
        Tree::new(root.with_child(memory.with("reg", &cells(reg)))).encode(Layout::default())
    };
    let count = |bytes: &[u8]| ram(&Fdt::parse(bytes).unwrap()).count();
    assert_eq!(count(&tree(&[1, 2, 3], 0)), 0);
    assert_eq!(count(&tree(&[1, 2, 3], 2)), 1);
}

#[test]
fn what_is_reserved_is_free_where_nobody_asks_for_it() {
    let reserved = reserved_in(&with(kept()));
    assert!(reserved.contains(&(KEPT, true)));
    // The entries of the header, too; those are for firmware.
    assert!(reserved.contains(&(range(0x7e00_0000, 0x7e01_0000), false)));
    for (name, value) in [
        ("compatible", &b"ramoops\0"[..]),
        ("phandle", &[0, 0, 0, 1]),
        ("status", b"disabled\0"),
        ("reusable", b""),
    ] {
        let used = kept().with(name, value);
        assert!(reserved_in(&with(used)).contains(&(KEPT, false)), "{name}");
    }
    let mut mapped = kept();
    mapped.properties.retain(|(name, _)| name != "no-map");
    assert!(reserved_in(&with(mapped)).contains(&(KEPT, false)));
}

#[test]
fn the_capture_kernels_own_memory_is_not_reserved_to_it() {
    let captured = |node, usable: &[Range]| {
        let running = with(node).encode(Layout {
            nops: true,
            ..Layout::default()
        });
        let changes = Changes {
            capture: Some(CaptureMemory {
                usable: UsableMemory::set_aside(usable),
                ..memory()
            }),
            ..changes()
        };
        let mut out = vec![0; tree_len_bound(running.len(), &changes)];
        let len = next_tree(&mut out, &running, &changes).unwrap();
        let tree = Tree::decode(&out[..len]);
        let reserved = tree.root.child("reserved-memory").children.clone();
        // The rest of the tree is whole.
        assert!(!tree.root.child("chosen").properties.is_empty());
        let names = reserved.into_iter().map(|node| node.name);
        names.collect::<Vec<_>>()
    };
    let crash = range(0x5000_0000, 0x6000_0000);
    let part = range(0x6000_0000, 0x6800_0000);
    let firmware = "firmware@7f000000";
    assert_eq!(captured(kept(), &[crash, part]), [firmware]);
    let nested = kept().with_child(Node::new("more").with_child(Node::new("yet more")));
    assert_eq!(captured(nested, &[crash, part]), [firmware]);
    // It stays where the capture kernel is told of other memory, or a driver asks for it.
    assert_eq!(captured(kept(), &[crash]), ["capture@60000000", firmware]);
    let used = kept().with("compatible", b"ramoops\0");
    assert_eq!(
        captured(used, &[crash, part]),
        ["capture@60000000", firmware]
    );
}
