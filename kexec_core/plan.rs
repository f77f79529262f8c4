// SPDX-License-Identifier: GPL-2.0

//! The plan of an image: the places of its segments in the reserved region.

mod error;
pub mod iomem;
mod room;

use crate::{
    image::{
        KernelImage,
        Verified, //
    },
    types::{
        bytes::align_up,
        ranges::{
            Range,
            RangeList,
            PAGE_SIZE, //
        }, //
    },
    uapi::SegmentKind, //
};

pub use error::PlanError;
pub use room::{
    Placement,
    Room, //
};

/// Each segment can split one free piece into two.
const FREE_MAX: usize = SegmentKind::COUNT + 1;

/// A part of the image, and its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The kind of its contents.
    pub kind: SegmentKind,
    /// The memory, in whole pages.
    pub memory: Range,
    /// The number of bytes that are copied to its start. The rest is zeroed.
    pub file_len: u64,
}

/// The segments placed so far, in a list of fixed size.
#[derive(Clone, Copy, Debug)]
struct Segments {
    list: [Option<Segment>; SegmentKind::COUNT],
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

/// The alignment of a segment: it starts `offset` bytes after a multiple of `multiple`.
#[derive(Clone, Copy, Debug)]
struct Alignment {
    multiple: u64,
    offset: u64,
}

/// Places segments in the region, none over another.
///
/// ```
/// use kexec_core::plan::{Placement, Placer, PlanError};
/// use kexec_core::types::ranges::{Range, PAGE_SIZE};
/// use kexec_core::uapi::SegmentKind;
///
/// let region = Range::new(0x1000_0000, 0x2000_0000).unwrap();
/// let mut placer = Placer::new(region)?;
/// let elfcorehdr = placer.place(
///     SegmentKind::Elfcorehdr,
///     0x800,
///     0x2000,
///     PAGE_SIZE,
///     Placement::Highest,
///     Range::ALL,
/// )?;
/// assert_eq!(elfcorehdr.memory, Range::new(0x1fff_e000, 0x2000_0000).unwrap());
/// let initrd = placer.place_initrd(0x1234, Placement::Highest, Range::ALL)?;
/// assert_eq!(initrd.memory, Range::new(0x1fff_c000, 0x1fff_e000).unwrap());
///
/// // A plan has a kernel, which `place_kernel` places from an image that was verified.
/// assert_eq!(placer.finish(0x1000_0000, 1 << 30).unwrap_err(), PlanError::NoKernel);
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Placer {
    region: Range,
    free: RangeList<FREE_MAX>,
    segments: Segments,
}

impl Placer {
    /// A placer for a region without segments.
    pub fn new(region: Range) -> Result<Self, PlanError> {
        Self::within(region, region)
    }

    /// A placer for a part of a region, the rest of which others use. The image is for the whole
    /// region all the same.
    pub fn within(region: Range, part: Range) -> Result<Self, PlanError> {
        let mut free = RangeList::new();
        part.intersection(&region)
            .and_then(|part| part.align_inward(PAGE_SIZE))
            .filter(|whole_pages| !whole_pages.is_empty())
            .and_then(|whole_pages| free.push(whole_pages).ok())
            .ok_or(PlanError::NoRegion)?;
        Ok(Self {
            region,
            free,
            segments: Segments {
                list: [None; SegmentKind::COUNT],
            },
        })
    }

    /// Places the kernel as the verified image needs it.
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

    /// Places the initrd within `limit`.
    ///
    /// Nothing is placed after an error.
    pub fn place_initrd(
        &mut self,
        len: u64,
        placement: Placement,
        limit: Range,
    ) -> Result<Segment, PlanError> {
        self.place(SegmentKind::Initrd, len, len, PAGE_SIZE, placement, limit)
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

    /// Checks all segments and makes the plan. `entry` is the physical address at which the kernel
    /// is entered; `ram` is the length of the running kernel's memory.
    pub fn finish(&self, entry: u64, ram: u64) -> Result<Plan, PlanError> {
        let kernel = self
            .segments
            .get(SegmentKind::Kernel)
            .ok_or(PlanError::NoKernel)?
            .memory;
        if !kernel.contains(entry) {
            return Err(PlanError::Entry { entry, kernel });
        }
        // The places are checked again, independently of `place`: a segment in the wrong place
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

/// The place of every segment.
///
/// A plan is the result of [`Placer::finish`], which has checked it:
///
/// ```
/// use kexec_core::plan::Plan;
///
/// fn show(plan: &Plan) {
///     for segment in plan.segments() {
///         println!("{:<16}{}", segment.kind.name(), segment.memory);
///     }
///     println!("entered at {:#x}", plan.entry());
/// }
/// ```
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

    /// From the first segment to the last one, in whole pages of `page_len` bytes, a power of two, as
    /// far as they are in the region.
    pub fn extent(&self, page_len: u64) -> Range {
        let hull = self.segments().map(|segment| segment.memory);
        let hull = hull.reduce(|one, other| one.hull(&other));
        hull.and_then(|hull| hull.align_outward(page_len)?.intersection(&self.region))
            .unwrap_or(self.region)
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

    /// The length of all segments together, in bytes.
    pub fn total_len(&self) -> u64 {
        // Disjoint parts of the region cannot add up to more than it has.
        self.segments().fold(0, |total: u64, segment| {
            total.wrapping_add(segment.memory.len())
        })
    }
}
