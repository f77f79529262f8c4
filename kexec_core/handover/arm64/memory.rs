// SPDX-License-Identifier: GPL-2.0

//! The machine's memory, as its device tree describes it.

use super::fdt::{
    take_number,
    Cells,
    Fdt,
    Node, //
};
use crate::types::ranges::Range;

/// The node with what firmware has reserved, or has the kernel reserve.
pub(super) const RESERVED_MEMORY: &[u8] = b"reserved-memory";

/// Memory that a device tree reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// Where it is.
    pub range: Range,
    /// Whether it is there for whoever names it: the kernel leaves it alone (`no-map`), and neither a
    /// driver nor another node asks for it.
    pub is_free: bool,
}

/// The memory of all nodes about memory.
pub fn ram<'a>(tree: &Fdt<'a>) -> impl Iterator<Item = Range> + 'a {
    let (root, cells) = (tree.root(), tree.root().cells());
    let nodes = root.children();
    let nodes =
        nodes.filter(|node| node.string("device_type") == Some(b"memory") && node.is_available());
    nodes.flat_map(move |node| ranges(node, cells))
}

/// The memory that is reserved at fixed places.
pub fn reserved<'a>(tree: &Fdt<'a>) -> impl Iterator<Item = Reserved> + 'a {
    let entries = tree.reservations().map(|range| Reserved {
        range,
        is_free: false,
    });
    let parent = tree.root().child(RESERVED_MEMORY);
    let nodes = parent.into_iter().flat_map(|parent| {
        let cells = parent.cells();
        let nodes = parent.children();
        nodes.flat_map(move |node| {
            let is_free = is_free(&node);
            ranges(node, cells).map(move |range| Reserved { range, is_free })
        })
    });
    entries.chain(nodes)
}

/// Whether what a node reserves is there for whoever names it.
pub(super) fn is_free(node: &Node<'_>) -> bool {
    let used = ["compatible", "reusable", "phandle", "linux,phandle"];
    let has = |name: &str| node.property(name).is_some();
    has("no-map") && node.is_available() && !used.into_iter().any(has)
}

/// The ranges of a node's `reg`.
pub(super) fn ranges(node: Node<'_>, cells: Cells) -> impl Iterator<Item = Range> + '_ {
    let mut rest = node.property("reg").unwrap_or_default();
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (start, after) = take_number(rest, cells.address)?;
        let (len, after) = take_number(after, cells.size)?;
        // Without cells there would be no end.
        if after.len() == rest.len() {
            return None;
        }
        rest = after;
        Range::from_start_len(start, len)
    })
}
