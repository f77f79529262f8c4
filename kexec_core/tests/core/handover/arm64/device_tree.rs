// SPDX-License-Identifier: GPL-2.0

//! The capture kernel's device tree: the parts that are kept from the running one, and the new
//! ones.

mod chosen;
mod given;
mod refusals;

use kexec_core::{
    handover::{
        arm64::{
            device_tree::{
                next_tree,
                tree_len_bound,
                Changes,
                DeviceTreeError, //
            },
            fdt::Fdt, //
        },
        CaptureMemory,
        UsableMemory, //
    },
    types::ranges::Range, //
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
use crate::fixture::range;

const REGION: Range = match Range::new(0x5000_0000, 0x6000_0000) {
    Some(region) => region,
    None => Range::ALL,
};

/// The memory of a capture kernel.
pub fn memory() -> CaptureMemory<'static> {
    CaptureMemory {
        elfcorehdr: range(0x5fff_0000, 0x6000_0000),
        usable: UsableMemory::set_aside(&[REGION]),
    }
}

/// The changes of a load.
pub fn changes() -> Changes<'static> {
    Changes {
        capture: Some(memory()),
        bootargs: b"console=ttyAMA0 nr_cpus=1",
        initrd: Some(range(0x5800_0000, 0x5823_4567)),
        kaslr_seed: Some(0x1122_3344_5566_7788),
        rng_seed: &[0xa5; 64],
        stale_reservations: &[],
    }
}

fn capture(running: &[u8], changes: &Changes<'_>) -> Result<Tree, DeviceTreeError> {
    let mut out = vec![0xaa; tree_len_bound(running.len(), changes)];
    let len = next_tree(&mut out, running, changes)?;
    Ok(Tree::decode(&out[..len]))
}

fn refused(running: &Tree, changes: &Changes<'_>) -> DeviceTreeError {
    let running = running.encode(Layout::default());
    capture(&running, changes).expect_err("the changes are not good")
}

/// The properties that are added to /chosen.
fn expected_changes(changes: &Changes<'_>, cells_64: bool) -> Vec<(String, Vec<u8>)> {
    let number = |number: u64| match cells_64 {
        true => number.to_be_bytes().to_vec(),
        false => (number as u32).to_be_bytes().to_vec(),
    };
    let pair = |range: &Range| [number(range.start()), number(range.len())].concat();
    let mut new = Vec::new();
    if let Some(memory) = &changes.capture {
        let usable = memory.usable.iter().flat_map(pair).collect();
        new.push(("linux,elfcorehdr", pair(&memory.elfcorehdr)));
        new.push(("linux,usable-memory-range", usable));
    }
    if let Some(initrd) = changes.initrd {
        new.push(("linux,initrd-start", initrd.start().to_be_bytes().into()));
        new.push(("linux,initrd-end", initrd.end().to_be_bytes().into()));
    }
    new.push(("bootargs", [changes.bootargs, &[0]].concat()));
    if let Some(seed) = changes.kaslr_seed {
        new.push(("kaslr-seed", seed.to_be_bytes().into()));
    }
    if !changes.rng_seed.is_empty() {
        new.push(("rng-seed", changes.rng_seed.into()));
    }
    new.push(("linux,booted-from-kexec", vec![]));
    new.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The same edit of the tree as a value. Properties that are not about this boot stay.
fn edited(mut tree: Tree, changes: &Changes<'_>) -> Tree {
    const DROPPED: [&str; 12] = [
        "linux,elfcorehdr",
        "linux,usable-memory-range",
        "linux,initrd-start",
        "linux,initrd-end",
        "bootargs",
        "kaslr-seed",
        "rng-seed",
        "linux,booted-from-kexec",
        "linux,ima-kexec-buffer",
        "linux,kho-fdt",
        "linux,kho-scratch",
        "linux,dmcryptkeys",
    ];
    let cells_64 = tree.root.property("#address-cells").is_some();
    let children = &mut tree.root.children;
    let is_chosen = |node: &Node| node.name == "chosen" || node.name.starts_with("chosen@");
    let index = children.iter().position(is_chosen).unwrap_or_else(|| {
        children.insert(0, Node::new("chosen"));
        0
    });
    let chosen = &mut children[index];
    chosen
        .properties
        .retain(|(name, _)| !DROPPED.contains(&&name[..]));
    chosen
        .properties
        .extend(expected_changes(changes, cells_64));
    tree
}

#[test]
fn chosen_is_made_anew_and_all_else_stays() {
    let running = running();
    let captured = capture(&running.encode(Layout::default()), &changes()).unwrap();
    let expected = edited(running, &changes());
    assert_eq!(captured.root, expected.root);
    assert_eq!(captured.boot_cpuid_phys, 3);

    // In the words of the kernel's readers.
    let chosen = captured.root.child("chosen");
    assert_eq!(
        chosen.property("linux,elfcorehdr"),
        Some(&cells(&[0, 0x5fff_0000, 0, 0x1_0000])[..])
    );
    assert_eq!(
        chosen.property("linux,usable-memory-range"),
        Some(&cells(&[0, 0x5000_0000, 0, 0x1000_0000])[..])
    );
    assert_eq!(
        chosen.property("linux,initrd-end"),
        Some(&cells(&[0, 0x5823_4567])[..])
    );
    assert_eq!(
        chosen.property("bootargs"),
        Some(&b"console=ttyAMA0 nr_cpus=1\0"[..])
    );
    assert_eq!(
        chosen.property("linux,uefi-system-table"),
        Some(&cells(&[1, 2])[..])
    );
    assert_eq!(chosen.property("linux,ima-kexec-buffer"), None);
    assert_eq!(chosen.property("linux,kho-fdt"), None);
    let framebuffer = chosen.child("framebuffer@0");
    assert_eq!(framebuffer.property("bootargs"), Some(&b"mine\0"[..]));
}

#[test]
fn reservations_for_what_the_running_kernel_was_given_are_dropped() {
    let captured = |stale: &[Range]| {
        let changes = Changes {
            stale_reservations: stale,
            ..changes()
        };
        let running = running().encode(Layout::default());
        capture(&running, &changes).unwrap().reservations
    };
    let (tree, firmware) = ((0x4700_0000, 0x5678), (0x7e00_0000, 0x1_0000));
    // The initrd's was rounded up to pages, the measurements' was not.
    assert_eq!(captured(&[]), [tree, firmware]);
    assert_eq!(captured(&[range(0x4700_0000, 0x4700_5678)]), [firmware]);
    for other in [
        range(0x4700_0000, 0x4700_5679),
        range(0x4700_1000, 0x4700_5678),
        range(0x4600_0000, 0x4800_0000),
        range(0x4700_0000, 0x4700_0000),
    ] {
        assert_eq!(captured(&[other]), [tree, firmware], "{other}");
    }
}

#[test]
fn a_tree_with_room_in_it_is_packed() {
    let tree = running();
    let loose = tree.encode(Layout {
        gap: 1 << 18,
        nops: true,
        ..Layout::default()
    });
    assert!(loose.len() > 3 << 18);
    let changes = changes();
    let mut out = vec![0; 4096];
    let len = next_tree(&mut out, &loose, &changes).unwrap();
    let mut from_packed = vec![0; 4096];
    let packed = tree.encode(Layout::default());
    let from_packed_len = next_tree(&mut from_packed, &packed, &changes).unwrap();
    assert_eq!(out[..len], from_packed[..from_packed_len]);
    let contents_len = Fdt::parse(&packed).unwrap().contents_len();
    // The alignment of the blocks may differ.
    assert!((contents_len..contents_len + 8).contains(&packed.len()));
    assert!(len <= tree_len_bound(contents_len, &changes));
}

#[test]
fn a_name_is_not_taken_for_one_that_it_is_a_part_of() {
    let root = Node::new("")
        .with("bootargs-extended", b"a")
        .with("my-bootargs", b"b")
        .with("rng-seeds", b"c");
    let tree = Tree::new(root);
    let captured = capture(&tree.encode(Layout::default()), &changes()).unwrap();
    assert_eq!(captured, edited(tree, &changes()));
}

#[test]
fn a_second_capture_does_not_make_the_tree_longer() {
    let running = running().encode(Layout::default());
    let mut first = vec![0; 8192];
    let len = next_tree(&mut first, &running, &changes()).unwrap();
    let mut second = vec![0; 8192];
    let again = next_tree(&mut second, &first[..len], &changes()).unwrap();
    assert_eq!(first[..len], second[..again]);
}

#[test]
fn the_tree_of_the_efi_stub_still_finds_uefi() {
    let stub = Node::new("chosen")
        .with("bootargs", b"root=/dev/vda\0")
        .with("linux,uefi-system-table", &cells(&[1, 0x2345_6789]))
        .with("linux,uefi-mmap-start", &cells(&[2, 0]))
        .with("linux,uefi-mmap-size", &cells(&[0x1800]))
        .with("linux,uefi-mmap-desc-size", &cells(&[48]))
        .with("linux,uefi-mmap-desc-ver", &cells(&[1]))
        .with("kaslr-seed", &cells(&[0, 0]))
        .with("linux,uefi-secure-boot", &cells(&[2]));
    let tree = |chosen| {
        let root = Node::new("")
            .with("#address-cells", &cells(&[2]))
            .with("#size-cells", &cells(&[2]));
        Tree::new(root.with_child(chosen))
    };
    let mut expected = stub.clone();
    let old = ["bootargs", "kaslr-seed"];
    let properties = &mut expected.properties;
    properties.retain(|(name, _)| !old.contains(&&name[..]));
    properties.extend(expected_changes(&changes(), true));
    let captured = capture(&tree(stub).encode(Layout::default()), &changes()).unwrap();
    assert_eq!(captured, tree(expected));
}

proptest! {
    #[test]
    fn any_tree_is_kept_but_for_chosen(
        tree in any_tree(),
        layout in any_layout(),
        initrd: bool,
        kaslr_seed: Option<u64>,
        rng_seed in prop::collection::vec(any::<u8>(), 0..70),
        bootargs in "[a-z =]{0,40}",
    ) {
        let changes = Changes {
            initrd: changes().initrd.filter(|_| initrd),
            kaslr_seed,
            rng_seed: &rng_seed,
            bootargs: bootargs.as_bytes(),
            ..changes()
        };
        let running = tree.encode(layout);
        let contents_len = Fdt::parse(&running).unwrap().contents_len();
        prop_assert!(contents_len <= running.len());
        let bound = tree_len_bound(contents_len, &changes);
        let mut out = vec![0xaa; bound + 16];
        let len = next_tree(&mut out, &running, &changes).unwrap();
        prop_assert!(len <= bound);
        prop_assert!(out[len..].iter().all(|byte| *byte == 0xaa));
        let captured = Tree::decode(&out[..len]);
        let expected = edited(tree, &changes);
        prop_assert_eq!(captured.root, expected.root);
        prop_assert_eq!(captured.boot_cpuid_phys, expected.boot_cpuid_phys);

        // A buffer that is too short gets an error that says how long it has to be.
        let short = &mut vec![0; len - 1];
        prop_assert_eq!(
            next_tree(short, &running, &changes),
            Err(DeviceTreeError::Buffer { needed: len, len: len - 1 })
        );
    }

    #[test]
    fn a_damaged_tree_is_refused_or_makes_a_good_one(
        tree in any_tree(),
        layout in any_layout(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut running = tree.encode(layout);
        for (at, byte) in damage {
            let at = at.index(running.len());
            running[at] = byte;
        }
        let mut out = vec![0; 0x4000];
        if let Ok(len) = next_tree(&mut out, &running, &changes()) {
            let mut again = vec![0; 0x4000];
            let second = next_tree(&mut again, &out[..len], &changes()).unwrap();
            prop_assert_eq!(&out[..len], &again[..second]);
        }
    }
}
