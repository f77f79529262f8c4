// SPDX-License-Identifier: GPL-2.0

//! What compresses a page, and the room that it needs.

/// The room that a compressor needs for a page.
///
/// It is more than any of them writes for a page that lies still. A page in a mapping may change while
/// it is compressed, and libdeflate looks at it twice: first it counts the symbols, then it writes a
/// code for each that it finds, without another look at the room. Its codes have at most 15 bits for
/// a byte, and at most 48 bits for a match of three bytes or more, so it never comes farther than twice
/// the page's length and the description of the codes.
pub const fn room(page_len: usize) -> usize {
    2 * page_len + 1024
}

/// Compresses pages, one after another. What can be kept from one page to the next is kept.
pub trait Compressor: Send {
    /// Compresses a page into the start of `out`, which has at least [`room`], and returns the length.
    /// `None` if the page did not become shorter than it was.
    fn compress(&mut self, page: &[u8], out: &mut [u8]) -> Option<usize>;
}
