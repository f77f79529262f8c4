// SPDX-License-Identifier: GPL-2.0

//! Half-open ranges of physical addresses, short sorted lists of them, and the differences of long
//! lists.

use core::{
    fmt,
    iter::Peekable,
    mem, //
};

use crate::types::{
    bytes::align_up,
    errno::Errno, //
};

/// The page size that segments, dumps and page tables are counted in.
pub const PAGE_SIZE: u64 = 4096;

/// The addresses from `start` up to, but not including, `end`.
///
/// ```
/// use kexec_core::types::ranges::{Range, PAGE_SIZE};
///
/// let region = Range::from_start_len(0x1000_0000, 256 << 20).unwrap();
/// let kernel = Range::new(0x1000_0800, 0x1200_0000).unwrap();
/// assert!(region.encloses(&kernel));
/// assert_eq!(
///     kernel.align_outward(PAGE_SIZE),
///     Range::new(0x1000_0000, 0x1200_0000),
/// );
/// assert_eq!(Range::new(2, 1), None);
/// ```
///
/// # Invariants
///
/// `start` is not greater than `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    start: u64,
    end: u64,
}

impl Range {
    /// The range of all addresses that a `Range` can hold.
    pub const ALL: Self = Self {
        start: 0,
        end: u64::MAX,
    };

    /// The range from `start` to `end`, unless it ends before it starts.
    pub const fn new(start: u64, end: u64) -> Option<Self> {
        if start > end {
            return None;
        }
        // INVARIANT: just checked.
        Some(Self { start, end })
    }

    /// The range of `len` bytes from `start`, unless it leaves the address space.
    pub const fn from_start_len(start: u64, len: u64) -> Option<Self> {
        match start.checked_add(len) {
            // INVARIANT: an addition that does not overflow does not get smaller.
            Some(end) => Some(Self { start, end }),
            None => None,
        }
    }

    /// The first address.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The first address after the range.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The length in bytes.
    pub const fn len(&self) -> u64 {
        // Cannot wrap by the invariant.
        self.end.wrapping_sub(self.start)
    }

    /// Whether the range has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether `address` is in the range.
    pub const fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }

    /// Whether all of `other` is in the range. An empty range is in one that it touches.
    pub const fn encloses(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Whether the two have an address in common.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end && !self.is_empty() && !other.is_empty()
    }

    /// The addresses that the two have in common.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
            .filter(|common| !common.is_empty())
    }

    /// The smallest range that encloses both.
    pub fn hull(&self, other: &Self) -> Self {
        // INVARIANT: it gets no shorter.
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The smallest range with both ends a multiple of `alignment`, a power of two, that encloses
    /// this one.
    pub fn align_outward(&self, alignment: u64) -> Option<Self> {
        let end = align_up(self.end, alignment)?;
        Self::new(self.start & !alignment.checked_sub(1)?, end)
    }

    /// The largest range with both ends a multiple of `alignment`, a power of two, inside this
    /// one.
    pub fn align_inward(&self, alignment: u64) -> Option<Self> {
        let start = align_up(self.start, alignment)?;
        Self::new(start, self.end & !alignment.checked_sub(1)?)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}-{:#x}", self.start, self.end)
    }
}

/// A [`RangeList`] would have to hold more ranges than it has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityError {
    /// The number of ranges that the list has room for.
    pub capacity: usize,
}

impl CapacityError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoMem
    }
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the memory map has more than the {} separate ranges that there is room for",
            self.capacity
        )
    }
}

/// Up to `N` ranges.
///
/// ```
/// use kexec_core::types::ranges::{Range, RangeList};
///
/// let range = |start, end| Range::new(start, end).unwrap();
/// let mut free: RangeList<4> = RangeList::new();
/// free.push(range(0x1000, 0x9000)).unwrap();
/// free.subtract(range(0x3000, 0x5000)).unwrap();
/// assert_eq!(free.as_slice(), [range(0x1000, 0x3000), range(0x5000, 0x9000)]);
/// // Ranges that touch become one.
/// free.push(range(0x3000, 0x5000)).unwrap();
/// assert_eq!(free.as_slice(), [range(0x1000, 0x9000)]);
/// ```
///
/// # Invariants
///
/// The first `len` of `ranges` are not empty, are sorted, and neither overlap nor touch; `len` is
/// not greater than `N`.
#[derive(Clone, Copy, Debug)]
pub struct RangeList<const N: usize> {
    ranges: [Range; N],
    len: usize,
}

impl<const N: usize> RangeList<N> {
    /// A list without ranges.
    pub const fn new() -> Self {
        Self {
            ranges: [Range { start: 0, end: 0 }; N],
            len: 0,
        }
    }

    /// The ranges, sorted.
    pub fn as_slice(&self) -> &[Range] {
        self.ranges.get(..self.len).unwrap_or_default()
    }

    /// The ranges, sorted.
    pub fn iter(&self) -> core::slice::Iter<'_, Range> {
        self.as_slice().iter()
    }

    /// The length of all ranges together, in bytes.
    pub fn total_len(&self) -> u64 {
        // Disjoint ranges of one address space cannot add up to more than it has.
        self.iter()
            .fold(0, |total: u64, range| total.wrapping_add(range.len()))
    }

    /// Adds a range, merging it with those that it overlaps or touches.
    ///
    /// The list is unchanged after an error.
    pub fn push(&mut self, range: Range) -> Result<(), CapacityError> {
        if range.is_empty() {
            return Ok(());
        }
        let first = self.as_slice().partition_point(|r| r.end < range.start);
        let last = self.as_slice().partition_point(|r| r.start <= range.end);
        let touched = self.as_slice().get(first..last).unwrap_or_default();
        let merged = touched.iter().fold(range, |sum, r| Range {
            start: sum.start.min(r.start),
            end: sum.end.max(r.end),
        });
        // INVARIANT: the ranges before `first` end before `merged`, and those from `last` on start
        // after it.
        self.replace(first, last, &[merged])
    }

    /// Removes the addresses of a range.
    ///
    /// The list is unchanged after an error, which can only happen when a hole has to be made in
    /// the middle of a range.
    pub fn subtract(&mut self, range: Range) -> Result<(), CapacityError> {
        if range.is_empty() {
            return Ok(());
        }
        let first = self.as_slice().partition_point(|r| r.end <= range.start);
        let last = self.as_slice().partition_point(|r| r.start < range.end);
        let cut = self.as_slice().get(first..last).unwrap_or_default();
        let before = cut
            .first()
            .and_then(|r| Range::new(r.start, range.start))
            .filter(|r| !r.is_empty());
        let after = cut
            .last()
            .and_then(|r| Range::new(range.end, r.end))
            .filter(|r| !r.is_empty());
        // INVARIANT: parts of a range lie where the range did.
        match (before, after) {
            (Some(before), Some(after)) => self.replace(first, last, &[before, after]),
            (Some(part), None) | (None, Some(part)) => self.replace(first, last, &[part]),
            (None, None) => self.replace(first, last, &[]),
        }
    }

    /// Replaces the ranges with the indices from `first` to `last` by `with`.
    fn replace(&mut self, first: usize, last: usize, with: &[Range]) -> Result<(), CapacityError> {
        let removed = last.saturating_sub(first);
        let len = self.len.saturating_sub(removed).saturating_add(with.len());
        if len > N {
            return Err(CapacityError { capacity: N });
        }
        let end = len.max(self.len);
        if let Some(part) = self.ranges.get_mut(first..end) {
            // The ranges from `first` on move by one place for each range that is added or removed.
            let mut moving = Range::default();
            for _ in removed..with.len() {
                for place in part.iter_mut() {
                    mem::swap(place, &mut moving);
                }
            }
            for _ in with.len()..removed {
                for place in part.iter_mut().rev() {
                    mem::swap(place, &mut moving);
                }
            }
            for (to, from) in part.iter_mut().zip(with) {
                *to = *from;
            }
        }
        self.len = len;
        Ok(())
    }
}

impl<const N: usize> Default for RangeList<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a, const N: usize> IntoIterator for &'a RangeList<N> {
    type Item = &'a Range;
    type IntoIter = core::slice::Iter<'a, Range>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Takes `holes` out of ascending ranges. The rest comes as ascending ranges that do not touch.
///
/// There can be any number of ranges, because none is kept. The holes can overlap, in any order.
pub fn without<'a, I>(ranges: I, holes: &'a [Range]) -> Without<'a, I::IntoIter>
where
    I: IntoIterator<Item = Range>,
{
    Without {
        ranges: ranges.into_iter().peekable(),
        holes,
        rest: Range::default(),
    }
}

/// The iterator that [`without`] returns.
#[derive(Clone, Debug)]
pub struct Without<'a, I: Iterator<Item = Range>> {
    ranges: Peekable<I>,
    holes: &'a [Range],
    /// The part that was taken from the ranges and not yet returned.
    rest: Range,
}

impl<I: Iterator<Item = Range>> Without<'_, I> {
    /// The next range, with those that it overlaps or touches.
    fn take_merged(&mut self) -> Option<Range> {
        let mut merged = self.ranges.next()?;
        while let Some(next) = self.ranges.next_if(|next| next.start <= merged.end) {
            merged.end = merged.end.max(next.end);
        }
        Some(merged)
    }
}

impl<I: Iterator<Item = Range>> Iterator for Without<'_, I> {
    type Item = Range;

    fn next(&mut self) -> Option<Range> {
        loop {
            if self.rest.is_empty() {
                self.rest = self.take_merged()?;
            }
            let Range { start, end } = self.rest;
            if let Some(hole) = self.holes.iter().find(|hole| hole.contains(start)) {
                self.rest.start = hole.end.min(end);
                continue;
            }
            let inside = |hole: &&Range| !hole.is_empty() && start < hole.start && hole.start < end;
            let cut = self.holes.iter().filter(inside).map(|hole| hole.start);
            let cut = cut.min().unwrap_or(end);
            // INVARIANT: the cut is between the two ends.
            self.rest.start = cut;
            if start < cut {
                return Some(Range { start, end: cut });
            }
        }
    }
}
