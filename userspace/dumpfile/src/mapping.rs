// SPDX-License-Identifier: GPL-2.0

//! Parts of a file that are mapped into memory: the only file here with `unsafe`.

#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    ops::Deref, //
};

use memmap2::{
    Mmap,
    MmapOptions, //
};

/// A part of a file in memory, which cannot be written to.
///
/// Nobody writes to the file in the meantime: that is the nature of a dump, a file that was written by a kernel
/// that is gone, or the memory of that kernel. Where a device goes on writing into that memory, bytes change
/// between two looks at them. All that is done with the bytes is to compare, to copy and to compress them,
/// into buffers that have room for whatever is there (`codec` says how); no reference of another type and
/// no length is made of a byte in a mapping without checking the copy that is used.
#[derive(Debug)]
pub struct Mapping(Mmap);

impl Mapping {
    /// Maps `len` bytes of `file` from `offset` on. The file has to have them: whoever touches a page
    /// past its end is sent SIGBUS.
    pub(crate) fn new(file: &File, offset: u64, len: usize) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.offset(offset).len(len);
        // SAFETY: The address is the kernel's choice, so no other memory is replaced, and the value that
        // is returned outlives all borrows. What else may write is said at the type.
        let map = unsafe { options.map(file) };
        map.map(Self)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
