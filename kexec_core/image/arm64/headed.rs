// SPDX-License-Identifier: GPL-2.0

//! Kernels in any format whose memory starts with the header of an Image.

use core::ops::Deref;

use super::{
    header::{
        ImageHeader,
        BASE_ALIGNMENT, //
    },
    verify::{
        verify,
        EntryConditions,
        VerifyError,
        PHYSICAL_LIMIT, //
    }, //
};
use crate::{
    image::{
        KernelImage,
        Piece,
        Verified, //
    },
    types::ranges::Range, //
};

/// The pieces of a kernel, which depend on its format.
pub trait Pieces {
    /// The piece with this index; see [`KernelImage::piece`].
    fn nth_piece(&self, index: usize) -> Option<Piece<'_>>;
}

/// A kernel whose memory starts with an Image's header, which was checked.
#[derive(Clone, Copy, Debug)]
pub struct Headed<C> {
    pub(super) header: ImageHeader,
    pub(super) contents: C,
}

impl<C> Deref for Headed<C> {
    type Target = ImageHeader;

    fn deref(&self) -> &ImageHeader {
        &self.header
    }
}

impl<C: Pieces> Headed<C> {
    /// Checks that the kernel can be entered on this machine, in this region.
    pub fn verify(self, conditions: &EntryConditions) -> Result<Verified<Self>, VerifyError> {
        let header = self.header;
        verify(&header, self, conditions)
    }
}

impl<C: Pieces> KernelImage for Headed<C> {
    fn piece(&self, index: usize) -> Option<Piece<'_>> {
        self.contents.nth_piece(index)
    }

    fn memory_len(&self) -> u64 {
        self.image_size()
    }

    fn alignment(&self) -> u64 {
        BASE_ALIGNMENT
    }

    fn alignment_offset(&self) -> u64 {
        self.text_offset()
    }

    fn limit(&self) -> Range {
        PHYSICAL_LIMIT
    }

    fn entry_offset(&self) -> u64 {
        0
    }
}
