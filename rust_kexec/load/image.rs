// SPDX-License-Identifier: GPL-2.0

//! Loaded images: in their places in the reserved memory, ready to be entered.

use super::elfcorehdr::hotplug::Following;
use super::segments::Segments;
use crate::arch::handover::Jump;
use crate::arch::quiesce::Interrupts;
use crate::record::CrashRecord;
use kernel::sync::Arc;
use kexec_core::uapi::{Decompression, SignatureState};

/// An image in its place, and what leaving this kernel for it needs.
pub(crate) struct LoadedImage {
    pub(crate) segments: Segments,
    /// When the kernel is decompressed.
    pub(crate) decompression: Decompression,
    /// The finding about the kernel's signature.
    pub(crate) signature: SignatureState,
    pub(crate) jump: Jump,
    pub(crate) interrupts: Interrupts,
}

/// An image for a crash, with the notes that the crash writes for it. It stays as it is, but for the
/// ELF core header.
pub(crate) struct CrashImage {
    // Dropped first.
    pub(super) _following: Following,
    pub(crate) loaded: LoadedImage,
    pub(crate) record: Arc<CrashRecord>,
}
