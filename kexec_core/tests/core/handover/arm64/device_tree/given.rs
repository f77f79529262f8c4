// SPDX-License-Identifier: GPL-2.0

//! Device trees in the place of the running kernel's.

use kexec_core::{
    handover::arm64::{
        device_tree::{
            check_given,
            DeviceTreeError, //
        },
        fdt::FdtError, //
    },
    types::errno::Errno, //
};

use super::super::tree::{
    cells,
    running,
    Layout,
    Node,
    Tree, //
};
use crate::fixture::range;

fn check(given: &Tree) -> Result<(), DeviceTreeError> {
    let [given, running] = [given, &running()].map(|tree| tree.encode(Layout::default()));
    check_given(&given, &running)
}

/// The running kernel's tree, changed below its root.
fn changed(change: impl FnOnce(&mut Vec<Node>)) -> Tree {
    let mut tree = running();
    change(&mut tree.root.children);
    tree
}

fn node<'a>(nodes: &'a mut [Node], name: &str) -> &'a mut Node {
    let mut nodes = nodes.iter_mut();
    nodes.find(|node| node.name == name).expect(name)
}

fn set(node: &mut Node, name: &str, value: &[u8]) {
    let mut properties = node.properties.iter_mut();
    properties.find(|(is, _)| is == name).expect(name).1 = value.into();
}

fn refused(given: &Tree) -> DeviceTreeError {
    let error = check(given).expect_err("it is not of this machine");
    assert_eq!(error.errno(), Errno::Inval);
    assert!(error.to_string().contains("/sys/firmware/fdt"), "{error}");
    error
}

#[test]
fn devices_may_differ_and_what_was_about_one_boot() {
    let mut given = changed(|nodes| {
        nodes.retain(|node| node.name != "pl011@9000000");
        nodes.push(Node::new("watchdog@9010000").with("compatible", b"arm,sp805\0"));
        set(node(nodes, "chosen"), "kaslr-seed", &cells(&[0, 0]));
        // Memory of no length, as a file has it that a boot loader is to fill in.
        nodes.push(
            Node::new("memory@0")
                .with("device_type", b"memory\0")
                .with("reg", &cells(&[0, 0, 0, 0])),
        );
    });
    given.reservations.clear();
    assert_eq!(check(&given), Ok(()));
    assert_eq!(check(&running()), Ok(()));
}

#[test]
fn memory_is_that_of_this_machine() {
    let of = |start, len| {
        changed(|nodes| {
            let reg = cells(&[0, start, 0, len]);
            set(node(nodes, "memory@40000000"), "reg", &reg);
        })
    };
    let all = range(0x4000_0000, 0x8000_0000);
    let missing = DeviceTreeError::MemoryMissing { range: all };
    assert_eq!(refused(&of(0x4000_0000, 0)), missing);
    assert_eq!(refused(&of(0x4000_0000, 0x3000_0000)), missing);
    assert_eq!(
        missing.to_string(),
        "the device tree has no memory at 0x40000000-0x80000000, where the running kernel's has some, mostly \
         from the boot loader: change a copy of /sys/firmware/fdt"
    );
    assert_eq!(
        refused(&changed(
            |nodes| nodes.retain(|node| !node.name.starts_with("memory"))
        )),
        missing
    );
    assert_eq!(
        refused(&of(0x4000_0000, 0x8000_0000)),
        DeviceTreeError::MemoryAdded {
            range: range(0x4000_0000, 0xc000_0000)
        }
    );
}

#[test]
fn firmware_keeps_its_memory() {
    let unreserved = DeviceTreeError::Unreserved {
        range: range(0x7f00_0000, 0x7f10_0000),
    };
    let without = |change: fn(&mut Node)| {
        changed(|nodes| {
            change(node(
                &mut node(nodes, "reserved-memory").children,
                "firmware@7f000000",
            ))
        })
    };
    assert_eq!(
        refused(&without(|node| set(
            node,
            "reg",
            &cells(&[0, 0x7f00_0000, 0, 0x1000])
        ))),
        unreserved
    );
    assert_eq!(
        refused(&without(|node| {
            node.properties
                .push(("status".into(), b"disabled\0".into()));
        })),
        unreserved
    );
    assert_eq!(
        refused(&changed(
            |nodes| nodes.retain(|node| node.name != "reserved-memory")
        )),
        unreserved
    );
}

#[test]
fn uefi_is_found_as_before() {
    let other = DeviceTreeError::OtherFirmware {
        property: "linux,uefi-system-table",
    };
    let chosen = |change: fn(&mut Node)| changed(|nodes| change(node(nodes, "chosen")));
    let without = chosen(|chosen| {
        chosen
            .properties
            .retain(|(name, _)| !name.starts_with("linux,uefi"));
    });
    assert_eq!(refused(&without), other);
    let elsewhere = chosen(|chosen| set(chosen, "linux,uefi-system-table", &cells(&[1, 3])));
    assert_eq!(refused(&elsewhere), other);
    assert_eq!(
        refused(&changed(|nodes| nodes.retain(|node| node.name != "chosen"))),
        other
    );
}

#[test]
fn a_file_that_is_no_device_tree_is_called_that() {
    let running = running().encode(Layout::default());
    let refused = |given: &[u8]| check_given(given, &running).expect_err("it is no tree");
    let error = refused(b"\x7fELF, and the rest of a program, which is longer than a header");
    assert_eq!(
        error.to_string(),
        "the file of the device tree: this is not a flattened device tree: it starts with 0x7f454c46, not \
         0xd00dfeed"
    );
    assert_eq!(error.errno(), Errno::Inval);
    let half = running.get(..running.len() / 2).unwrap_or_default();
    assert!(matches!(
        refused(half),
        DeviceTreeError::Given(FdtError::Truncated { .. })
    ));
    assert!(matches!(
        refused(&[]),
        DeviceTreeError::Given(FdtError::TooShort { len: 0 })
    ));
}
