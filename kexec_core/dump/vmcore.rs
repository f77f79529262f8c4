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
//! A program that saves dumps can use [`Layout`] as it is. It brings the elfcorehdr, the merged
//! notes and access to the memory; [`Layout::locate`] names the source of each part of the file:
//!
//! ```
//! use kexec_core::dump::elfcorehdr::{encode, encoded_len, Elfcorehdr, Load};
//! use kexec_core::dump::vmcore::{Layout, Source};
//! use kexec_core::error::Error;
//! use kexec_core::types::elf::Architecture;
//! use kexec_core::types::ranges::{Range, PAGE_SIZE};
//!
//! # let mut elfcorehdr = vec![0; encoded_len(1, 1)];
//! # let notes = [Range::new(0x7000_0000, 0x7000_0170).unwrap()];
//! # let ram = Load {
//! #     virtual_address: 0xffff_8880_0000_1000,
//! #     memory: Range::new(0x1000, 0x9_f400).unwrap(),
//! # };
//! # encode(&mut elfcorehdr, Architecture::X86_64, &notes, &[ram])?;
//! # let notes = [0; 0x170];
//! let core = Elfcorehdr::parse(&elfcorehdr, Architecture::X86_64)?;
//! let layout = Layout::new(&core, notes.len(), PAGE_SIZE)?;
//! let mut header = vec![0; layout.header_len()];
//! layout.encode_header(&core, &mut header)?;
//!
//! let mut offset = 0;
//! let mut sources = Vec::new();
//! while let Some(piece) = layout.locate(&header, offset) {
//!     sources.push(match piece.source {
//!         Source::Header(at) => format!("{:#x} bytes of header from {at:#x}", piece.len),
//!         Source::Notes(at) => format!("{:#x} bytes of notes from {at:#x}", piece.len),
//!         Source::Memory(at) => format!("{:#x} bytes of memory from {at:#x}", piece.len),
//!     });
//!     offset += piece.len;
//! }
//! assert_eq!(offset, layout.size());
//! assert_eq!(
//!     sources,
//!     [
//!         "0x1000 bytes of header from 0x0",
//!         "0x1000 bytes of notes from 0x0",
//!         // The last page is whole, though the RAM ends in it.
//!         "0x9f000 bytes of memory from 0x1000",
//!     ],
//! );
//! # Ok::<(), Error>(())
//! ```
//!
//! [excluded]: excluded::Excluded

pub mod excluded;
pub mod large_pages;
mod layout;
pub mod windows;

pub use layout::{
    Layout,
    Piece,
    Source,
    VmcoreError,
    Wanted, //
};
