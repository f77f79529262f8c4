// SPDX-License-Identifier: GPL-2.0

//! Arbitrary device trees, for property tests.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    cells,
    Layout,
    Node,
    Tree, //
};

fn property() -> impl Strategy<Value = (String, Vec<u8>)> {
    // Names that mean something, names that start or end like those, and any others.
    let name = prop_oneof![
        "[a-z#,-]{1,6}",
        "(xx)?(bootargs|rng-seed|linux,elfcorehdr|reg)(yy)?",
    ];
    (name, prop::collection::vec(any::<u8>(), 0..9))
}

fn properties() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    prop::collection::vec(property(), 0..5).prop_map(|mut properties| {
        let mut seen = BTreeMap::new();
        properties.retain(|(name, _)| seen.insert(name.clone(), ()).is_none());
        properties
    })
}

fn node(name: &'static str) -> impl Strategy<Value = Node> {
    let leaf = (name, properties()).prop_map(|(name, properties)| Node {
        name,
        properties,
        children: vec![],
    });
    leaf.prop_recursive(4, 12, 3, move |inner| {
        let children = prop::collection::vec(inner, 0..3);
        (name, properties(), children).prop_map(|(name, properties, children)| Node {
            name,
            properties,
            children,
        })
    })
}

/// Any tree whose root's cells can be written.
pub fn any_tree() -> impl Strategy<Value = Tree> {
    let children = prop::collection::vec(node("(chosen|[a-z]{1,4})(@[0-9])?"), 0..4);
    let reservations = prop::collection::vec((any::<u32>(), 1..0x10_0000_u64), 0..4);
    (
        properties(),
        children,
        reservations,
        any::<u32>(),
        any::<bool>(),
    )
        .prop_map(
            |(properties, children, reservations, boot_cpuid_phys, has_cells)| {
                let mut root = Node::new("");
                if has_cells {
                    root = root
                        .with("#address-cells", &cells(&[2]))
                        .with("#size-cells", &cells(&[2]));
                }
                let known = ["#address-cells", "#size-cells"];
                let others = properties.into_iter();
                root.properties
                    .extend(others.filter(|(name, _)| !known.contains(&&name[..])));
                root.children = children;
                let reservations = reservations.into_iter();
                Tree {
                    reservations: reservations
                        .map(|(start, len)| (start.into(), len))
                        .collect(),
                    boot_cpuid_phys,
                    root,
                }
            },
        )
}

/// Any layout.
pub fn any_layout() -> impl Strategy<Value = Layout> {
    (any::<bool>(), any::<bool>(), 0..9_usize).prop_map(|(strings_first, nops, gap)| Layout {
        strings_first,
        nops,
        gap,
    })
}
