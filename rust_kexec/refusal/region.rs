// SPDX-License-Identifier: GPL-2.0

//! Refusals for want of the reserved memory. An image that has no room in it is refused by
//! `kexec_core::plan`.

use super::errno::errno;
use crate::compat::prelude::*;
use core::fmt;
use kexec_core::types::{
    errno::Errno,
    ranges::Range, //
};

/// Why there is no memory for an image.
pub(crate) enum RegionError {
    /// No memory is reserved for a capture kernel.
    NoReservation,
    /// The kernel's own kexec has a crash image loaded.
    KernelImageLoaded,
    /// The kernel's own kexec is at work.
    KexecBusy,
    /// Another image of ours has not left its place.
    Occupied(Range),
    /// The reserved memory is not what it was when an image was armed.
    Changed,
    /// A copy is not what was copied.
    Damaged { what: &'static str, memory: Range },
}

impl RegionError {
    /// The errno that goes with it.
    pub(super) fn errno(&self) -> Error {
        match self {
            Self::NoReservation => errno(Errno::AddrNotAvail),
            Self::KernelImageLoaded | Self::KexecBusy | Self::Occupied(_) | Self::Changed => EBUSY,
            Self::Damaged { .. } => EIO,
        }
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReservation => f.write_str(
                "no memory is reserved for a capture kernel: boot this kernel with \
                 crashkernel=256M, and look for \"Crash kernel\" in /proc/iomem",
            ),
            Self::KernelImageLoaded => f.write_str(
                "the kernel's own kexec has a crash image loaded, and there is one region for \
                 both: unload that one first with kexec -p -u",
            ),
            Self::KexecBusy => f.write_str(
                "the kernel's own kexec is loading or unloading an image, or somebody died while it \
                 did: load again when it has finished, and reboot if it never does",
            ),
            Self::Occupied(memory) => write!(
                f,
                "an image that should be gone still has memory of {memory}: report this, with the \
                 command that led to it",
            ),
            Self::Changed => f.write_str(
                "the reserved memory was made smaller while an image was armed in it: unload that one \
                 with rkexec -p -u, and load again",
            ),
            Self::Damaged { what, memory } => write!(
                f,
                "the copy of the {what} at {memory} is not what was copied there: the memory is \
                 faulty, or something else writes to it: see rkexec -S for what is still armed, \
                 boot with memtest=4, and reserve other memory with crashkernel=SIZE@ADDRESS",
            ),
        }
    }
}
