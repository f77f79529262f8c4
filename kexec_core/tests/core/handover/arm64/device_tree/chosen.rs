// SPDX-License-Identifier: GPL-2.0

//! The /chosen node of the tree that is made.

use kexec_core::{
    handover::{
        arm64::{
            device_tree::{
                Changes,
                DeviceTreeError, //
            },
            fdt::Cells, //
        },
        CaptureMemory,
        UsableMemory, //
    },
    types::errno::Errno, //
};

use super::{
    super::tree::{
        cells,
        running,
        Layout,
        Node,
        Tree, //
    },
    capture,
    changes,
    edited,
    refused, //
};
use crate::fixture::{
    range,
    GIB,
    MIB, //
};

#[test]
fn nothing_of_the_old_boot_is_left_where_nothing_new_takes_its_place() {
    let changes = Changes {
        initrd: None,
        kaslr_seed: None,
        rng_seed: &[],
        bootargs: b"",
        ..changes()
    };
    let captured = capture(&running().encode(Layout::default()), &changes).unwrap();
    let chosen = captured.root.child("chosen");
    for name in [
        "linux,initrd-start",
        "linux,initrd-end",
        "kaslr-seed",
        "rng-seed",
    ] {
        assert_eq!(chosen.property(name), None, "{name}");
    }
    assert_eq!(chosen.property("bootargs"), Some(&[0][..]));
}

#[test]
fn a_kernel_that_a_reboot_enters_is_told_of_no_region() {
    let changes = Changes {
        capture: None,
        initrd: Some(range(GIB, GIB + MIB)),
        ..changes()
    };
    let tree = capture(&running().encode(Layout::default()), &changes).unwrap();
    let chosen = tree.root.child("chosen");
    for name in ["linux,elfcorehdr", "linux,usable-memory-range"] {
        assert_eq!(chosen.property(name), None, "{name}");
    }
}

#[test]
fn other_memory_is_told_behind_the_crash_region() {
    let changes = Changes {
        capture: Some(CaptureMemory {
            usable: UsableMemory {
                regions: &[range(4 * GIB, 5 * GIB), range(GIB, GIB + 128 * MIB)],
                shared: &[range(2 * GIB, 2 * GIB + MIB)],
            },
            elfcorehdr: range(5 * GIB - 0x1_0000, 5 * GIB),
        }),
        initrd: Some(range(GIB, GIB + MIB)),
        ..changes()
    };
    let captured = capture(&running().encode(Layout::default()), &changes).unwrap();
    assert_eq!(
        captured
            .root
            .child("chosen")
            .property("linux,usable-memory-range"),
        Some(
            &cells(&[
                1,
                0,
                0,
                0x4000_0000,
                0,
                0x4000_0000,
                0,
                0x800_0000,
                0,
                0x8000_0000,
                0,
                0x10_0000
            ])[..]
        )
    );
}

#[test]
fn a_tree_without_chosen_gets_one_behind_the_root_s_properties() {
    let mut running = running();
    running.root.children.retain(|node| node.name != "chosen");
    let captured = capture(&running.encode(Layout::default()), &changes()).unwrap();
    assert_eq!(captured.root, edited(running, &changes()).root);
    assert_eq!(captured.root.children[0].name, "chosen");

    let alone = Tree::new(Node::new(""));
    let captured = capture(&alone.encode(Layout::default()), &changes()).unwrap();
    assert_eq!(captured, edited(alone, &changes()));
}

#[test]
fn only_the_chosen_of_the_root_is_changed() {
    let bootargs = |name: &str| Node::new(name).with("bootargs", b"a\0");
    let root = Node::new("")
        .with("bootargs", b"b\0")
        .with_child(Node::new("chosenx").with_child(bootargs("chosen")))
        .with_child(bootargs("chosen@0"))
        .with_child(bootargs("chosen"));
    let tree = Tree::new(root);
    let captured = capture(&tree.encode(Layout::default()), &changes()).unwrap();
    assert_eq!(captured, edited(tree, &changes()));
    // The kernel takes the first one.
    assert_ne!(captured.root.children[1], bootargs("chosen@0"));
    assert_eq!(captured.root.children[2], bootargs("chosen"));
}

#[test]
fn numbers_have_the_cells_of_the_root() {
    let root = |address: u32, size: u32| {
        let root = Node::new("")
            .with("#address-cells", &cells(&[address]))
            .with("#size-cells", &cells(&[size]));
        Tree::new(root)
    };
    let elfcorehdr = |tree: &Tree| {
        let captured = capture(&tree.encode(Layout::default()), &changes()).unwrap();
        let chosen = captured.root.child("chosen");
        chosen.property("linux,elfcorehdr").unwrap().to_vec()
    };
    assert_eq!(elfcorehdr(&root(1, 1)), cells(&[0x5fff_0000, 0x1_0000]));
    assert_eq!(elfcorehdr(&root(2, 1)), cells(&[0, 0x5fff_0000, 0x1_0000]));
    // The kernel's default for the cells of a root that does not tell.
    assert_eq!(
        elfcorehdr(&Tree::new(Node::new(""))),
        cells(&[0x5fff_0000, 0x1_0000])
    );
    for (address, size) in [(0, 1), (1, 0), (3, 1), (1, 3)] {
        let error = refused(&root(address, size), &changes());
        assert_eq!(error, DeviceTreeError::Cells(Cells { address, size }));
        assert_eq!(error.errno(), Errno::Inval);
    }

    let regions = [range(4 * GIB, 5 * GIB)];
    let high = Changes {
        capture: Some(CaptureMemory {
            usable: UsableMemory::set_aside(&regions),
            elfcorehdr: range(4 * GIB, 4 * GIB + 0x1000),
        }),
        initrd: None,
        ..changes()
    };
    assert_eq!(
        refused(&root(1, 1), &high).to_string(),
        "linux,elfcorehdr has to tell of 0x100000000-0x100001000, but the cells of the device \
         tree's root hold 32 bits: reserve below 4 GiB with crashkernel=size@offset"
    );
    assert!(capture(&root(2, 1).encode(Layout::default()), &high).is_ok());
}
