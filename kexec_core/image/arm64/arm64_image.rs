// SPDX-License-Identifier: GPL-2.0

//! The arm64 kernel's Image, as `Documentation/arch/arm64/booting.rst` in the kernel's tree
//! defines it.
//!
//! An Image is the kernel's memory without its bss. It starts with a header of 64 bytes, whose
//! first instructions branch over the rest of the header. With an EFI stub it is a PE/COFF file as
//! well.

use super::{
    headed::{
        Headed,
        Pieces, //
    },
    header::{
        ImageError,
        ImageHeader, //
    }, //
};
use crate::{
    image::{
        format::Format,
        Piece, //
    },
    signature::pe,
    types::ranges::Range, //
};

/// Longest command line that an arm64 kernel takes, without the NUL.
pub const COMMAND_LINE_MAX: u32 = 2047;

/// The initrd and the kernel have to lie in one window of this size ...
const INITRD_WINDOW_LEN: u64 = 32 << 30;
/// ... that starts at a multiple of this.
const INITRD_WINDOW_ALIGNMENT: u64 = 1 << 30;

/// An Image, which is copied to memory as a whole.
pub type Image<'a> = Headed<&'a [u8]>;

impl Pieces for &[u8] {
    fn nth_piece(&self, index: usize) -> Option<Piece<'_>> {
        (index == 0).then_some(Piece {
            offset: 0,
            bytes: self,
        })
    }
}

impl<'a> Image<'a> {
    /// Reads the header of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ImageError> {
        match Format::of(bytes) {
            Some(Format::Gzip) => return Err(ImageError::Gzip),
            Some(Format::Zboot) => return Err(ImageError::Zboot),
            _ => {}
        }
        let header = ImageHeader::parse(bytes)?;
        header.check_len(bytes.len())?;
        if let Some(expected) = pe::missing_end(bytes) {
            let len = bytes.len();
            return Err(ImageError::Truncated { len, expected });
        }
        Ok(Self {
            header,
            contents: bytes,
        })
    }

    /// The part of the file that is copied to memory: all of it.
    pub fn bytes(&self) -> &'a [u8] {
        self.contents
    }
}

/// The range in which the initrd can lie, for a kernel in this memory. The kernel maps no more than
/// this range before it reads its memory map.
pub fn initrd_limit(kernel: Range) -> Range {
    let start = kernel.start() & !(INITRD_WINDOW_ALIGNMENT - 1);
    let end = start.saturating_add(INITRD_WINDOW_LEN);
    Range::new(start, end).unwrap_or_default()
}
