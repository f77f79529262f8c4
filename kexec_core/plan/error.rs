// SPDX-License-Identifier: GPL-2.0

//! The errors of placing segments.

use core::fmt;

use crate::{
    types::{
        errno::Errno,
        ranges::{
            Range,
            PAGE_SIZE, //
        },
        size::Size, //
    },
    uapi::SegmentKind, //
};

/// Why segments cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// There is no region.
    NoRegion,
    /// The region has no place for a segment.
    NoFit {
        /// The kind of the segment.
        kind: SegmentKind,
        /// Memory that it needs.
        len: u64,
        /// The alignment of its address.
        alignment: u64,
        /// The range in which it can lie.
        limit: Range,
        /// The region.
        region: Range,
        /// The longest free piece of the region.
        largest_free: u64,
    },
    /// There are more segments than an image can have.
    TooMany {
        /// The kind of the first segment that has no place.
        kind: SegmentKind,
    },
    /// There already is a segment of this kind.
    Duplicate {
        /// The kind.
        kind: SegmentKind,
    },
    /// A segment has no memory.
    Empty {
        /// The kind of the segment.
        kind: SegmentKind,
    },
    /// A segment has more contents than memory.
    FileLen {
        /// The kind of the segment.
        kind: SegmentKind,
        /// Length of the contents.
        file_len: u64,
        /// Length of the memory.
        memory_len: u64,
    },
    /// An alignment is less than a page or not a power of two.
    Alignment {
        /// The kind of the segment.
        kind: SegmentKind,
        /// The alignment.
        alignment: u64,
    },
    /// The kernel was to be placed otherwise than by [`Placer::place_kernel`](super::Placer::place_kernel).
    UnverifiedKernel,
    /// No kernel was placed.
    NoKernel,
    /// The entry point is not in the kernel.
    Entry {
        /// The entry point.
        entry: u64,
        /// The kernel's memory.
        kernel: Range,
    },
    /// The segments together would take more than half of the machine's memory.
    HalfOfMemory {
        /// Memory of all segments.
        needed: u64,
        /// Memory that the kernel has.
        ram: u64,
    },
    /// Two segments overlap, or one leaves the region or is not made of whole pages.
    Inconsistent {
        /// The kind of the segment.
        kind: SegmentKind,
        /// The segment's memory.
        memory: Range,
    },
}

impl PlanError {
    /// Whether the image could be placed where there is more room.
    pub fn is_want_of_room(&self) -> bool {
        matches!(self, Self::NoRegion | Self::NoFit { .. })
    }

    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::NoRegion | Self::NoFit { .. } => Errno::AddrNotAvail,
            _ => Errno::Inval,
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoRegion => write!(
                f,
                "no memory is reserved for a capture kernel: boot with crashkernel=, for example \
                 crashkernel=256M"
            ),
            Self::NoFit {
                kind,
                len,
                alignment,
                limit,
                region,
                largest_free,
            } => {
                write!(f, "the {} needs {}", kind.name(), Size(len))?;
                if alignment > PAGE_SIZE {
                    write!(f, " at a multiple of {alignment:#x}")?;
                }
                if !limit.encloses(&region) {
                    write!(f, " within {limit}")?;
                }
                write!(
                    f,
                    ", but the largest free piece of the crash region {region} has {}: reserve \
                     more with crashkernel=",
                    Size(largest_free)
                )
            }
            Self::TooMany { kind } => write!(
                f,
                "the {} would be segment {} of the image, which can have {}",
                kind.name(),
                SegmentKind::COUNT + 1,
                SegmentKind::COUNT
            ),
            Self::Duplicate { kind } => {
                write!(f, "the image has two segments for the {}", kind.name())
            }
            Self::Empty { kind } => write!(
                f,
                "the {} is empty: give a file that has contents, or none",
                kind.name()
            ),
            Self::FileLen {
                kind,
                file_len,
                memory_len,
            } => write!(
                f,
                "the {} has {}, but {} of memory",
                kind.name(),
                Size(file_len),
                Size(memory_len)
            ),
            Self::Alignment { kind, alignment } => write!(
                f,
                "the {} has an alignment of {alignment:#x}, but a power of two from \
                 {PAGE_SIZE:#x} on is needed",
                kind.name()
            ),
            Self::UnverifiedKernel => write!(
                f,
                "the kernel has to be placed from the image that was verified"
            ),
            Self::NoKernel => write!(f, "the image has no kernel"),
            Self::Entry { entry, kernel } => write!(
                f,
                "the entry point {entry:#x} is not in the kernel's memory {kernel}"
            ),
            Self::HalfOfMemory { needed, ram } => write!(
                f,
                "the kernel and what is loaded with it need {}, which is more than half of the {} \
                 of memory that this machine has: load a smaller initrd or kernel",
                Size(needed),
                Size(ram)
            ),
            Self::Inconsistent { kind, memory } => write!(
                f,
                "the {} at {memory} overlaps another segment, leaves the crash region or is not \
                 made of whole pages",
                kind.name()
            ),
        }
    }
}
