// SPDX-License-Identifier: GPL-2.0

//! The dump as a file: an ELF core file whose contents are the crashed kernel's memory.
//!
//! Its parts start at multiples of the page size, so that pages of memory can be mapped: the
//! headers, all notes behind one PT_NOTE, and the pages of each PT_LOAD. A piece of memory that
//! starts within a page has its offset within that page, and keeps its exact physical address.
//!
//! All of the file is data but for memory that is [excluded], which is a hole of whole pages. The
//! zeros behind the headers and behind the notes are less than a page, and data.
//!
//! [excluded]: excluded::Excluded

pub mod excluded;
pub mod large_pages;
mod layout;
pub mod windows;

pub use layout::{Layout, Piece, Source, VmcoreError, Wanted};
