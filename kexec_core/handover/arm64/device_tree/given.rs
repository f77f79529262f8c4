// SPDX-License-Identifier: GPL-2.0

//! A device tree that the next kernel is given in the place of the running kernel's.
//!
//! Whoever writes one knows the devices. Where memory is, and what firmware keeps of it, is known by the
//! boot loader that has filled it in. A kernel that is told otherwise overwrites firmware, or finds no memory.

use super::{
    chosen::{
        CHOSEN,
        FIRMWARE, //
    },
    error::DeviceTreeError, //
};
use crate::{
    handover::arm64::{
        fdt::Fdt,
        memory::{
            ram,
            ranges,
            RESERVED_MEMORY, //
        }, //
    },
    types::ranges::Range, //
};

/// Checks that a device tree agrees with the running kernel's in what it says of memory and firmware.
pub fn check_given(given: &[u8], running: &[u8]) -> Result<(), DeviceTreeError> {
    let given = Fdt::parse(given).map_err(DeviceTreeError::Given)?;
    let running = Fdt::parse(running)?;
    for property in FIRMWARE {
        if in_chosen(&given, property) != in_chosen(&running, property) {
            return Err(DeviceTreeError::OtherFirmware { property });
        }
    }
    if let Some(range) = not_in(ram(&running), || ram(&given)) {
        return Err(DeviceTreeError::MemoryMissing { range });
    }
    if let Some(range) = not_in(ram(&given), || ram(&running)) {
        return Err(DeviceTreeError::MemoryAdded { range });
    }
    match not_in(reserved(&running), || reserved(&given)) {
        Some(range) => Err(DeviceTreeError::Unreserved { range }),
        None => Ok(()),
    }
}

fn in_chosen<'a>(tree: &Fdt<'a>, property: &str) -> Option<&'a [u8]> {
    tree.root().child(CHOSEN.as_bytes())?.property(property)
}

/// The first of these ranges that is in none of the others.
fn not_in<I: Iterator<Item = Range>>(
    mut ranges: impl Iterator<Item = Range>,
    others: impl Fn() -> I,
) -> Option<Range> {
    ranges.find(|range| !range.is_empty() && !others().any(|other| other.encloses(range)))
}

/// The memory that nodes reserve at fixed places. What a boot loader has noted beside the nodes is about one
/// boot: the tree itself, and an initrd.
fn reserved<'a>(tree: &Fdt<'a>) -> impl Iterator<Item = Range> + 'a {
    let parent = tree.root().child(RESERVED_MEMORY);
    parent.into_iter().flat_map(|parent| {
        let (cells, nodes) = (parent.cells(), parent.children());
        let nodes = nodes.filter(|node| node.is_available());
        nodes.flat_map(move |node| ranges(node, cells))
    })
}
