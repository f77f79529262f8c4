// SPDX-License-Identifier: GPL-2.0

//! Mapping the dump with large pages, which need physical and virtual addresses with the same
//! offset in a large page.

use super::layout::{
    Layout,
    Source, //
};
use crate::types::ranges::Range;

/// Length of a large page, which one entry of a page table's second level maps.
pub const LARGE_PAGE: u64 = 2 << 20;

/// The part of `memory` that large pages can map, if its first byte is at virtual address
/// `address`.
pub fn large_part(memory: Range, address: u64) -> Option<Range> {
    if (memory.start() ^ address) & LARGE_PAGE.checked_sub(1)? != 0 {
        return None;
    }
    memory
        .align_inward(LARGE_PAGE)
        .filter(|large| !large.is_empty())
}

/// The large page that starts where `memory` does, if `memory` has it.
pub fn large_page_at_start(memory: Range) -> Option<Range> {
    Range::from_start_len(memory.start(), LARGE_PAGE)
        .filter(|page| memory.encloses(page) && page.align_outward(LARGE_PAGE) == Some(*page))
}

/// The best offset in a large page for the start of a mapping of `part` of the file. It is the one
/// that fits the longest piece of memory in it, so that large pages can map that piece.
pub fn alignment(layout: &Layout, header: &[u8], part: Range) -> u64 {
    let (mut longest, mut found) = (0, 0);
    let mut done: u64 = 0;
    while let Some(piece) = part
        .start()
        .checked_add(done)
        .filter(|offset| *offset < part.end())
        .and_then(|offset| layout.locate(header, offset))
    {
        let len = piece.len.min(part.len().saturating_sub(done));
        if let (Source::Memory(address), true) = (piece.source, len > longest) {
            longest = len;
            found = address.wrapping_sub(done) & LARGE_PAGE.wrapping_sub(1);
        }
        done = done.saturating_add(len);
    }
    found
}
