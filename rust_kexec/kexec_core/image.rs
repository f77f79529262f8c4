// SPDX-License-Identifier: GPL-2.0

//! How far a kernel image has come: parsed, then verified, then part of a plan.

use core::ops::Deref;

use crate::ranges::Range;

/// What a plan has to know about a kernel image, whatever its format.
pub trait KernelImage {
    /// How many bytes of the file are copied to memory.
    fn file_len(&self) -> u64;

    /// How many bytes the kernel owns before it reads its memory map.
    fn memory_len(&self) -> u64;

    /// What the load address has to be a multiple of.
    fn alignment(&self) -> u64;

    /// How far behind a multiple of [`Self::alignment`] it is loaded, in whole pages. The memory in
    /// between is free for others, but has to be there.
    fn alignment_offset(&self) -> u64 {
        0
    }

    /// Where the kernel can lie.
    fn limit(&self) -> Range;

    /// Where it is entered, counted from its load address.
    fn entry_offset(&self) -> u64;
}

/// An image that was checked against the machine it is to run on.
///
/// # Invariants
///
/// The image's `verify` method has returned this value.
#[derive(Clone, Copy, Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Marks `image` as verified. For the image formats' `verify` methods only.
    pub(crate) const fn new(image: T) -> Self {
        Self(image)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
