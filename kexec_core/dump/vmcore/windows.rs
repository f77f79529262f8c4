// SPDX-License-Identifier: GPL-2.0

//! The windows onto the crashed kernel's memory: which memory to map next, and which mappings to
//! keep.
//!
//! Mapping memory takes far longer than finding a mapping, so windows are large and are kept. Their
//! page tables take memory, and a capture kernel has little of it, so their number and length are
//! bounded.

use core::fmt;

use crate::{
    dump::vmcore::large_pages::LARGE_PAGE,
    types::{
        bytes::{
            align_up,
            to_u64, //
        },
        ranges::{
            Range,
            PAGE_SIZE, //
        },
        size::Size, //
    }, //
};

/// Longest window.
pub const WINDOW_LEN_MAX: u64 = 32 << 20;

/// Most windows that are kept.
pub const WINDOWS_MAX: usize = 8;

/// The part of a kernel's memory that page tables of windows may take.
const BUDGET_DIVISOR: u64 = 256;

/// The number and the length of windows that may be mapped.
///
/// # Invariants
///
/// `windows` is from 1 to [`WINDOWS_MAX`], `len` a power of two from [`PAGE_SIZE`] to
/// [`WINDOW_LEN_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    windows: usize,
    len: u64,
}

impl Budget {
    /// The budget in a kernel with `memory` bytes of memory. Page tables take at most a 256th of
    /// it, or the page tables of one window of a single page, and never more than 544 KiB.
    pub fn of(memory: u64) -> Self {
        let allowed = memory / BUDGET_DIVISOR;
        // INVARIANT: both stop at the bounds.
        let mut budget = Self {
            windows: WINDOWS_MAX,
            len: WINDOW_LEN_MAX,
        };
        while budget.page_tables() > allowed {
            if budget.windows > 1 {
                budget.windows = budget.windows.saturating_sub(1).max(1);
            } else if budget.len > LARGE_PAGE {
                budget.len /= 2;
            } else {
                budget.len = PAGE_SIZE;
                break;
            }
        }
        budget
    }

    /// The number of windows that are kept.
    pub fn windows(&self) -> usize {
        self.windows
    }

    /// The largest length of a window, and its alignment.
    pub fn window_len(&self) -> u64 {
        self.len
    }

    /// The most bytes that the page tables of all windows take, where the kernel maps nothing with
    /// large pages. Where it does, a window takes two pages.
    pub fn page_tables(&self) -> u64 {
        let last_level = (self.len / LARGE_PAGE).max(1);
        // A window is aligned, so it has one table of the level above at most.
        let pages = last_level.saturating_add(1);
        to_u64(self.windows)
            .saturating_mul(pages)
            .saturating_mul(PAGE_SIZE)
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} windows of {}, with page tables of at most {}",
            self.windows,
            Size(self.len),
            Size(self.page_tables())
        )
    }
}

/// A window that is kept.
struct Kept<M> {
    range: Range,
    mapping: M,
    /// When it was last used.
    used: u64,
}

/// The windows that are kept.
///
/// The caller maps memory. `M` is its handle of a mapping, such as a counted reference.
pub struct Windows<M> {
    kept: [Option<Kept<M>>; WINDOWS_MAX],
    budget: Budget,
    /// The length of the next window. It is shorter than the budget allows after a mapping has
    /// failed.
    len: u64,
    clock: u64,
}

impl<M> Windows<M> {
    /// No windows yet.
    pub fn new(budget: Budget) -> Self {
        Self {
            kept: [const { None }; WINDOWS_MAX],
            budget,
            len: budget.len,
            clock: 0,
        }
    }

    /// The window that has the byte at this physical address.
    pub fn find(&mut self, address: u64) -> Option<&M> {
        self.clock = self.clock.wrapping_add(1);
        let found = self
            .kept
            .iter_mut()
            .flatten()
            .find(|kept| kept.range.contains(address))?;
        found.used = self.clock;
        Some(&found.mapping)
    }

    /// The range to map for the byte at `address`, which is in `memory`: the part of `memory` that
    /// one window has.
    ///
    /// A window that does not start at a large page ends at the next one. Otherwise the kernel
    /// could not map any of it with large pages.
    pub fn range_for(&self, address: u64, memory: Range) -> Option<Range> {
        let start = address & !self.len.checked_sub(1)?;
        let window = Range::from_start_len(start, self.len)?.intersection(&memory)?;
        if !window.contains(address) {
            return None;
        }
        match align_up(window.start(), LARGE_PAGE) {
            Some(border) if border <= address => Range::new(border, window.end()),
            Some(border) => Range::new(window.start(), window.end().min(border)),
            None => Some(window),
        }
    }

    /// Takes out the window that was not used for longest, if there are as many as the budget
    /// allows. To be called before mapping another one.
    pub fn make_room(&mut self) -> Option<M> {
        let last = self.budget.windows.saturating_sub(1);
        // Fewer windows are kept than the budget allows, if the last one is missing.
        self.kept.iter().flatten().nth(last)?;
        self.evict()
    }

    /// Takes out the window that was not used for longest.
    fn evict(&mut self) -> Option<M> {
        self.kept
            .iter_mut()
            .filter(|place| place.is_some())
            .min_by_key(|place| place.as_ref().map_or(0, |kept| kept.used))?
            .take()
            .map(|kept| kept.mapping)
    }

    /// Keeps a window. Returns the mapping that has to be dropped to stay within the budget, which
    /// is another one if other readers have mapped windows meanwhile.
    pub fn keep(&mut self, range: Range, mapping: M) -> Option<M> {
        let evicted = self.make_room();
        let used = self.clock;
        if let Some(place) = self.kept.iter_mut().find(|place| place.is_none()) {
            *place = Some(Kept {
                range,
                mapping,
                used,
            });
        }
        // Mappings work again: the next one may be longer.
        self.len = self.len.saturating_mul(2).min(self.budget.len);
        evicted
    }

    /// The next step after a mapping has failed.
    pub fn after_failure(&mut self) -> AfterFailure<M> {
        if let Some(mapping) = self.evict() {
            return AfterFailure::Drop(mapping);
        }
        if self.len == PAGE_SIZE {
            return AfterFailure::GiveUp;
        }
        self.len = (self.len / 2).max(PAGE_SIZE);
        AfterFailure::Retry
    }
}

/// The next step after a mapping has failed.
#[derive(Debug, PartialEq, Eq)]
pub enum AfterFailure<M> {
    /// Unmap this window, and try again.
    Drop(M),
    /// Try again: the window will be shorter.
    Retry,
    /// Not even a page can be mapped.
    GiveUp,
}
