// SPDX-License-Identifier: GPL-2.0

//! Loaded images: in their places in the reserved memory, ready to be entered.

use super::{
    elfcorehdr::hotplug::Following,
    segments::Segments, //
};
use crate::{
    arch::{
        handover::Jump,
        quiesce::Interrupts, //
    },
    compat::prelude::*,
    record::CrashRecord,
    reserve::{
        Claim,
        Taken, //
    }, //
};
use kernel::sync::Arc;
use kexec_core::uapi::{
    Decompression,
    Replacement,
    SignatureState, //
};

/// An image in its place, and what leaving this kernel for it needs.
pub(crate) struct LoadedImage {
    pub(crate) segments: Segments,
    /// When the kernel is decompressed.
    pub(crate) decompression: Decompression,
    /// The finding about the kernel's signature.
    pub(crate) signature: SignatureState,
    /// Where an image of the same lengths would go that replaces this one.
    pub(crate) replacement: Replacement,
    /// Whether the kernel in it uses memory that devices may write to for a while.
    pub(crate) shares_memory: bool,
    pub(crate) jump: Jump,
    pub(crate) interrupts: Interrupts,
}

/// An image for a crash, with the notes that the crash writes for it. It stays as it is, but for the
/// elfcorehdr.
pub(crate) struct CrashImage {
    // Dropped first.
    pub(crate) following: Following,
    pub(crate) loaded: LoadedImage,
    pub(crate) record: Arc<CrashRecord>,
}

/// An image that was copied to the region, and whose copy was checked: it can be armed.
///
/// `prepare` has the only way to one. Its memory is its own until it is left.
pub(crate) struct Loaded {
    // Dropped first.
    image: KBox<CrashImage>,
    memory: Taken,
}

impl Loaded {
    /// `memory` is what the image's parts are in.
    pub(super) fn new(image: KBox<CrashImage>, memory: Taken) -> Self {
        Self { image, memory }
    }

    /// The image. It does not move.
    pub(crate) fn image(&self) -> &CrashImage {
        &self.image
    }

    /// Drops the image, which nobody uses any more, and gives its memory back.
    pub(crate) fn leave(self, claim: &mut Claim) {
        drop(self.image);
        claim.give_back(self.memory);
    }
}
