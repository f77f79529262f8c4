// SPDX-License-Identifier: GPL-2.0

//! The device tree that the next kernel is entered with, after a crash or by a reboot.
//!
//! It is made from the running kernel's tree, or from one that the caller gives. Properties of `/chosen` that
//! held for that kernel only are dropped, and those that the next kernel needs are added. Nodes and properties
//! outside of `/chosen` stay as they are, so memory that firmware has reserved in `/reserved-memory` stays
//! reserved. Only what was reserved there for the capture kernel itself is dropped. The new tree has no gaps,
//! even if firmware has left room in the running one.
//!
//! On a machine that ACPI describes, the running tree is the one that the kernel's EFI stub has
//! made. Its /chosen has the addresses of UEFI's tables and memory map. These properties are kept,
//! because the next kernel finds ACPI by nothing else.

mod changes;
mod chosen;
mod error;
mod given;

use super::{
    fdt::{
        is_meant,
        take_number,
        writer::FdtWriter,
        Cells,
        Fdt,
        Node,
        Token,
        Tokens,
        CELL_LEN, //
    },
    memory, //
};
use crate::types::{
    bytes::align_up,
    ranges::Range, //
};
use chosen::{
    CHANGED,
    CHOSEN,
    DROPPED,
    IMA_KEXEC_BUFFER,
    INITRD_END,
    INITRD_START, //
};

pub use changes::Changes;
pub use chosen::{
    TREE_ALIGNMENT,
    TREE_LEN_MAX, //
};
pub use error::DeviceTreeError;
pub use given::check_given;

/// The largest page size. A reservation can be rounded up to a multiple of it.
const LARGEST_PAGE_LEN: u64 = 64 << 10;

/// The cells of a tree whose addresses take the most room.
const LONGEST_CELLS: Cells = Cells {
    address: 2,
    size: 2,
};

/// Writes the next kernel's device tree to `out`, made from the running kernel's, and returns
/// its length. A buffer of [`tree_len_bound`] bytes is long enough.
pub fn next_tree(
    out: &mut [u8],
    running: &[u8],
    changes: &Changes<'_>,
) -> Result<usize, DeviceTreeError> {
    let tree = Fdt::parse(running)?;
    let root = tree.root();
    let cells = root.cells();
    changes.check(cells)?;

    let chosen = root.child(CHOSEN.as_bytes());
    let old_initrd = chosen.and_then(|chosen| running_initrd(&chosen));
    let old_ima = chosen.and_then(|chosen| ima_buffer(&chosen, cells));
    let is_stale = |entry: &Range| {
        let listed = changes.stale_reservations.iter();
        let mut buffers = listed.chain(&old_initrd).chain(&old_ima);
        buffers.any(|buffer| is_reserved_for(entry, buffer))
    };

    let out_len = out.len();
    let mut writer = FdtWriter::new(out, tree.strings(), &CHANGED);
    for entry in tree.reservations().filter(|entry| !is_stale(entry)) {
        writer.reservation(entry);
    }
    writer.start_structure();

    let mut depth = 0_usize;
    // Whether the properties being read are those of /chosen, and whether it was written.
    let mut within_chosen = false;
    let mut has_changes = false;
    // The cells of the nodes being read, where those are about reserved memory.
    let mut reserved_cells = None;
    let mut tokens = tree.tokens();
    while let Some(token) = tokens.next() {
        if !matches!(token, Token::Property(_)) {
            if within_chosen {
                changes.write(&mut writer, cells);
                has_changes = true;
            } else if depth == 1 && !has_changes && chosen.is_none() {
                // The first place for a node is after the root's properties.
                writer.begin_node(CHOSEN.as_bytes());
                changes.write(&mut writer, cells);
                writer.end_node();
                has_changes = true;
            }
            within_chosen = false;
        }
        match token {
            Token::BeginNode(name)
                if reserved_cells.is_some_and(|(at, cells)| {
                    at == depth && changes.makes_usable(Node::begun(name, tokens), cells)
                }) =>
            {
                tokens = after_node(tokens);
            }
            Token::BeginNode(name) => {
                if depth == 1 && is_meant(name, memory::RESERVED_MEMORY) {
                    reserved_cells = Some((2, Node::begun(name, tokens).cells()));
                } else if depth == 1 {
                    reserved_cells = None;
                }
                within_chosen = depth == 1 && !has_changes && is_meant(name, CHOSEN.as_bytes());
                depth = depth.saturating_add(1);
                writer.begin_node(name);
            }
            Token::Property(property) if within_chosen && is_dropped(property.name) => {}
            Token::Property(property) => writer.kept_property(&property),
            Token::EndNode => {
                depth = depth.saturating_sub(1);
                writer.end_node();
            }
        }
    }
    checked_len(writer.finish(tree.header().boot_cpuid_phys), out_len)
}

/// An upper bound for the length of the capture kernel's tree, where the contents of the running
/// one have `running_len` bytes ([`Fdt::contents_len`]).
pub fn tree_len_bound(running_len: usize, changes: &Changes<'_>) -> usize {
    // A tree of its own with everything that can be added.
    let mut added = FdtWriter::new(&mut [], &[], &CHANGED);
    added.start_structure();
    added.begin_node(b"");
    added.begin_node(CHOSEN.as_bytes());
    changes.write(&mut added, LONGEST_CELLS);
    added.end_node();
    added.end_node();
    added.finish(0).saturating_add(running_len)
}

/// The tokens after a node whose first token was read.
fn after_node(mut tokens: Tokens<'_>) -> Tokens<'_> {
    let mut depth = 1_usize;
    while depth > 0 {
        match tokens.next() {
            Some(Token::BeginNode(_)) => depth = depth.saturating_add(1),
            Some(Token::EndNode) => depth = depth.saturating_sub(1),
            Some(Token::Property(_)) => {}
            None => break,
        }
    }
    tokens
}

fn checked_len(needed: usize, len: usize) -> Result<usize, DeviceTreeError> {
    if needed > TREE_LEN_MAX {
        return Err(DeviceTreeError::TooLong { len: needed });
    }
    if needed > len {
        return Err(DeviceTreeError::Buffer { needed, len });
    }
    Ok(needed)
}

/// Whether a reservation was made for this buffer. Firmware reserves whole pages, of a page size of
/// its own.
fn is_reserved_for(entry: &Range, buffer: &Range) -> bool {
    let longest = align_up(buffer.len(), LARGEST_PAGE_LEN).unwrap_or(buffer.len());
    entry.start() == buffer.start() && (buffer.len()..=longest).contains(&entry.len())
}

/// The memory of the running kernel's initrd.
fn running_initrd(chosen: &Node<'_>) -> Option<Range> {
    let address = |name| {
        let value = chosen.property(name)?;
        let cells = u32::try_from(value.len() / CELL_LEN).ok()?;
        Some(take_number(value, cells)?.0)
    };
    Range::new(address(INITRD_START)?, address(INITRD_END)?)
}

/// The memory with the measurements that an earlier kernel has left for the running one.
fn ima_buffer(chosen: &Node<'_>, cells: Cells) -> Option<Range> {
    let value = chosen.property(IMA_KEXEC_BUFFER)?;
    let (start, rest) = take_number(value, cells.address)?;
    let (len, _) = take_number(rest, cells.size)?;
    Range::from_start_len(start, len)
}

fn is_dropped(name: &[u8]) -> bool {
    let mut all = CHANGED.iter().chain(&DROPPED);
    all.any(|dropped| dropped.as_bytes() == name)
}
