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
    let is_ram = |tree: &Fdt<'_>, range: &Range| enclose(&mut ram(tree), range);
    if let Some(range) = first_without(&mut ram(&running), &|range| is_ram(&given, range)) {
        return Err(DeviceTreeError::MemoryMissing { range });
    }
    if let Some(range) = first_without(&mut ram(&given), &|range| is_ram(&running, range)) {
        return Err(DeviceTreeError::MemoryAdded { range });
    }
    let is_reserved = |range: &Range| enclose(&mut reserved(&given), range);
    match first_without(&mut reserved(&running), &is_reserved) {
        Some(range) => Err(DeviceTreeError::Unreserved { range }),
        None => Ok(()),
    }
}

fn in_chosen<'a>(tree: &Fdt<'a>, property: &str) -> Option<&'a [u8]> {
    tree.root().child(CHOSEN.as_bytes())?.property(property)
}

/// The first of these ranges for which something does not hold.
///
/// By `dyn`, as [`enclose`]: the names of generic functions of these iterators would be longer than the
/// kernel's tables of symbols and the crash utility have room for.
fn first_without(
    mut ranges: &mut dyn Iterator<Item = Range>,
    holds: &dyn Fn(&Range) -> bool,
) -> Option<Range> {
    Iterator::find(&mut ranges, |range| !range.is_empty() && !holds(range))
}

/// Whether one of these ranges encloses that one.
fn enclose(mut ranges: &mut dyn Iterator<Item = Range>, enclosed: &Range) -> bool {
    Iterator::any(&mut ranges, |range| range.encloses(enclosed))
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
