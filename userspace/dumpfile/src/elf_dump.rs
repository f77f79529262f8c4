// SPDX-License-Identifier: GPL-2.0

//! The writer of ELF core files.
//!
//! Where fewer than [`HOLE_FRAMES`] frames of memory are left out, the file has zeros in their place;
//! where it is more, another segment begins. All places are known before the first page is written, so
//! pages are written in any order. Segments for the same memory, as that of the kernel's image is one,
//! share the bytes in the file.

mod headers;
mod layout;
pub mod writer;

pub use layout::{
    Description,
    HOLE_FRAMES, //
};
