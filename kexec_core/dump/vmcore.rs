// SPDX-License-Identifier: GPL-2.0

//! The dump as a file: an ELF core file with the crashed kernel's memory.
//!
//! Its parts are the headers, all notes in one PT_NOTE, and the pages of each PT_LOAD. They start
//! at multiples of the page size, so that pages of memory can be mapped. A piece of memory that
//! starts within a page has its offset within that page, and keeps its exact physical address.
//!
//! Memory that is [excluded] is a hole of whole pages in the file. All the rest is data, and so are
//! the zeros that fill up the pages of the headers and of the notes.
//!
//! [excluded]: excluded::Excluded

pub mod excluded;
pub mod large_pages;
mod layout;
pub mod windows;

pub use layout::{Layout, Piece, Source, VmcoreError, Wanted};
