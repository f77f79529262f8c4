// SPDX-License-Identifier: GPL-2.0

//! Where in the reserved region the segments of an image go.

pub mod iomem;

use core::fmt;

use crate::image::{KernelImage, Verified};
use crate::types::bytes::align_up;
use crate::types::errno::Errno;
use crate::types::ranges::{Range, RangeList, PAGE_SIZE};
use crate::types::size::Size;
use crate::uapi::{SegmentKind, SEGMENTS_MAX};

/// Each segment can split one free piece into two.
const FREE_MAX: usize = SEGMENTS_MAX + 1;

/// Which of the places that are free to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The one with the lowest address.
    Lowest,
    /// The one with the highest address.
    Highest,
}

/// A part of the image, and the memory that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it holds.
    pub kind: SegmentKind,
    /// The memory, in whole pages.
    pub memory: Range,
    /// How many bytes are copied to its start; the rest is zeroed.
    pub file_len: u64,
}

/// Why segments cannot be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// There is no region.
    NoRegion,
    /// The region has no place for a segment.
    NoFit {
        /// What the segment holds.
        kind: SegmentKind,
        /// Memory that it needs.
        len: u64,
        /// What its address has to be a multiple of.
        alignment: u64,
        /// Where it can lie.
        limit: Range,
        /// The region.
        region: Range,
        /// The longest free piece of the region.
        largest_free: u64,
    },
    /// There are more segments than an image can have.
    TooMany {
        /// What the segment holds that is one too many.
        kind: SegmentKind,
    },
    /// There already is a segment of this kind.
    Duplicate {
        /// The kind.
        kind: SegmentKind,
    },
    /// A segment has no memory.
    Empty {
        /// What it should hold.
        kind: SegmentKind,
    },
    /// A segment has more contents than memory.
    FileLen {
        /// What it holds.
        kind: SegmentKind,
        /// Length of the contents.
        file_len: u64,
        /// Length of the memory.
        memory_len: u64,
    },
    /// An alignment is less than a page or not a power of two.
    Alignment {
        /// What the segment holds.
        kind: SegmentKind,
        /// The alignment.
        alignment: u64,
    },
    /// The kernel was to be placed otherwise than by [`Placer::place_kernel`].
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
        /// What the segment holds.
        kind: SegmentKind,
        /// Its memory.
        memory: Range,
    },
}

impl PlanError {
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
                "the {} would be segment {} of the image, which can have {SEGMENTS_MAX}",
                kind.name(),
                SEGMENTS_MAX + 1
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

/// The segments placed so far, in a list of fixed size.
#[derive(Clone, Copy, Debug)]
struct Segments {
    list: [Option<Segment>; SEGMENTS_MAX],
}

impl Segments {
    fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.list.iter().flatten()
    }

    fn get(&self, kind: SegmentKind) -> Option<&Segment> {
        self.iter().find(|segment| segment.kind == kind)
    }

    fn push(&mut self, segment: Segment) -> Result<(), PlanError> {
        let place = self
            .list
            .iter_mut()
            .find(|place| place.is_none())
            .ok_or(PlanError::TooMany { kind: segment.kind })?;
        *place = Some(segment);
        Ok(())
    }
}

/// Which addresses a segment can start at: those `offset` bytes behind a multiple of `multiple`.
#[derive(Clone, Copy, Debug)]
struct Alignment {
    multiple: u64,
    offset: u64,
}

/// Places segments in the region, none over another.
#[derive(Clone, Copy, Debug)]
pub struct Placer {
    region: Range,
    free: RangeList<FREE_MAX>,
    segments: Segments,
}

impl Placer {
    /// A placer for a region that is all free.
    pub fn new(region: Range) -> Result<Self, PlanError> {
        let mut free = RangeList::new();
        region
            .align_inward(PAGE_SIZE)
            .filter(|whole_pages| !whole_pages.is_empty())
            .and_then(|whole_pages| free.push(whole_pages).ok())
            .ok_or(PlanError::NoRegion)?;
        Ok(Self {
            region,
            free,
            segments: Segments {
                list: [None; SEGMENTS_MAX],
            },
        })
    }

    /// Places the kernel: its needs are those of an image that was verified.
    pub fn place_kernel<T: KernelImage>(
        &mut self,
        image: &Verified<T>,
        placement: Placement,
    ) -> Result<Segment, PlanError> {
        self.place_checked(
            SegmentKind::Kernel,
            image.file_len(),
            image.memory_len(),
            Alignment {
                multiple: image.alignment(),
                offset: image.alignment_offset(),
            },
            placement,
            image.limit(),
        )
    }

    /// Places any other segment: `file_len` bytes of contents in `memory_len` bytes of memory,
    /// rounded up to pages, at a multiple of `alignment` within `limit`.
    ///
    /// Nothing is placed after an error.
    pub fn place(
        &mut self,
        kind: SegmentKind,
        file_len: u64,
        memory_len: u64,
        alignment: u64,
        placement: Placement,
        limit: Range,
    ) -> Result<Segment, PlanError> {
        if kind == SegmentKind::Kernel {
            return Err(PlanError::UnverifiedKernel);
        }
        let alignment = Alignment {
            multiple: alignment,
            offset: 0,
        };
        self.place_checked(kind, file_len, memory_len, alignment, placement, limit)
    }

    fn place_checked(
        &mut self,
        kind: SegmentKind,
        file_len: u64,
        memory_len: u64,
        alignment: Alignment,
        placement: Placement,
        limit: Range,
    ) -> Result<Segment, PlanError> {
        if memory_len == 0 {
            return Err(PlanError::Empty { kind });
        }
        if file_len > memory_len {
            return Err(PlanError::FileLen {
                kind,
                file_len,
                memory_len,
            });
        }
        let Alignment { multiple, offset } = alignment;
        if multiple < PAGE_SIZE || !multiple.is_power_of_two() {
            return Err(PlanError::Alignment {
                kind,
                alignment: multiple,
            });
        }
        if self.segments.get(kind).is_some() {
            return Err(PlanError::Duplicate { kind });
        }

        let memory =
            self.find(memory_len, alignment, placement, &limit)
                .ok_or(PlanError::NoFit {
                    kind,
                    len: memory_len.saturating_add(offset),
                    alignment: multiple,
                    limit,
                    region: self.region,
                    largest_free: self.largest_free(),
                })?;
        let segment = Segment {
            kind,
            memory,
            file_len,
        };
        let mut free = self.free;
        free.subtract(memory)
            .map_err(|_| PlanError::TooMany { kind })?;
        self.segments.push(segment)?;
        self.free = free;
        Ok(segment)
    }

    /// The longest free piece.
    fn largest_free(&self) -> u64 {
        self.free.iter().map(Range::len).max().unwrap_or(0)
    }

    fn find(
        &self,
        memory_len: u64,
        alignment: Alignment,
        placement: Placement,
        limit: &Range,
    ) -> Option<Range> {
        let Alignment { multiple, offset } = alignment;
        let len = align_up(memory_len, PAGE_SIZE)?;
        let len_from_base = len.checked_add(offset)?;
        let fit = |piece: &Range| {
            let usable = piece.intersection(limit)?.align_inward(PAGE_SIZE)?;
            let base = match placement {
                Placement::Lowest => align_up(usable.start(), multiple)?,
                Placement::Highest => {
                    usable.end().checked_sub(len_from_base)? & !multiple.checked_sub(1)?
                }
            };
            let from_base = Range::from_start_len(base, len_from_base)?;
            let memory = Range::new(base.checked_add(offset)?, from_base.end())?;
            usable.encloses(&from_base).then_some(memory)
        };
        match placement {
            Placement::Lowest => self.free.iter().find_map(fit),
            Placement::Highest => self.free.iter().rev().find_map(fit),
        }
    }

    /// Checks the whole and closes it. `entry` is the physical address at which the kernel is
    /// entered; `ram` is how much memory the running kernel has.
    pub fn finish(self, entry: u64, ram: u64) -> Result<Plan, PlanError> {
        let kernel = self
            .segments
            .get(SegmentKind::Kernel)
            .ok_or(PlanError::NoKernel)?
            .memory;
        if !kernel.contains(entry) {
            return Err(PlanError::Entry { entry, kernel });
        }
        // What `place` has done is checked again independently: a segment in the wrong place
        // overwrites memory of the running kernel.
        for segment in self.segments.iter() {
            let Segment { kind, memory, .. } = *segment;
            let overlaps = self
                .segments
                .iter()
                .any(|other| other.kind != kind && other.memory.overlaps(&memory));
            let whole_pages = memory.align_inward(PAGE_SIZE) == Some(memory);
            if overlaps
                || !whole_pages
                || !self.region.encloses(&memory)
                || segment.file_len > memory.len()
            {
                return Err(PlanError::Inconsistent { kind, memory });
            }
        }
        let lens = self.segments.iter().map(|segment| segment.memory.len());
        let needed = lens.fold(0, u64::saturating_add);
        if needed > ram / 2 {
            return Err(PlanError::HalfOfMemory { needed, ram });
        }
        Ok(Plan {
            region: self.region,
            entry,
            segments: self.segments,
        })
    }
}

/// Where everything goes.
///
/// # Invariants
///
/// Every segment is made of whole pages, lies in `region`, and overlaps no other; there is a
/// kernel, it was verified, and `entry` is in it.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    region: Range,
    entry: u64,
    segments: Segments,
}

impl Plan {
    /// The region that all segments lie in.
    pub fn region(&self) -> Range {
        self.region
    }

    /// The physical address at which the kernel is entered.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// The segments, in the order in which they were placed.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    /// The segment of this kind.
    pub fn segment(&self, kind: SegmentKind) -> Option<&Segment> {
        self.segments.get(kind)
    }

    /// How many bytes of the region the segments take.
    pub fn total_len(&self) -> u64 {
        // Disjoint parts of the region cannot add up to more than it has.
        self.segments().fold(0, |total: u64, segment| {
            total.wrapping_add(segment.memory.len())
        })
    }
}
