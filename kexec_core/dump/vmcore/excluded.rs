// SPDX-License-Identifier: GPL-2.0

//! Memory that must not be read. The dump has zeros in its place.

use core::fmt;

use crate::types::{
    errno::Errno,
    ranges::{
        Range,
        RangeList, //
    },
    size::Size, //
};

/// Most separate pieces of memory that can be excluded.
pub const EXCLUDED_MAX: usize = 64;

/// Why a list of excluded memory cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExcludedError {
    /// An entry is not `START-END` in numbers that make a range.
    Entry {
        /// The number of the entry in the list, counted from 1.
        number: usize,
    },
    /// There are more separate pieces than there is room for.
    TooMany,
}

impl ExcludedError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Entry { .. } => Errno::Inval,
            Self::TooMany => Errno::NoMem,
        }
    }
}

impl fmt::Display for ExcludedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry { number } => write!(
                f,
                "entry {number} of exclude= is not START-END, two physical addresses such as \
                 0x1000-0x3000 with the second one just after the memory"
            ),
            Self::TooMany => write!(
                f,
                "exclude= names more than {EXCLUDED_MAX} separate pieces of memory"
            ),
        }
    }
}

/// The memory that is excluded, in whole pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Excluded(RangeList<EXCLUDED_MAX>);

/// A run of memory that is served in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The memory is read.
    Memory(Range),
    /// The memory reads as zeros.
    Zeros(Range),
}

impl Excluded {
    /// Reads a list such as `0x1000-0x3000,0x100000000-0x140000000`: pairs of physical addresses,
    /// from the first byte to the first one after the memory. A page of `page_len` bytes is
    /// excluded if any part of it is named.
    pub fn parse(text: &[u8], page_len: u64) -> Result<Self, ExcludedError> {
        let mut list = RangeList::new();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        if text.is_empty() {
            return Ok(Self(list));
        }
        let mut number: usize = 0;
        for entry in text.split(|byte| *byte == b',') {
            number = number.saturating_add(1);
            let range = parse_entry(entry, page_len).ok_or(ExcludedError::Entry { number })?;
            list.push(range).map_err(|_| ExcludedError::TooMany)?;
        }
        Ok(Self(list))
    }

    /// Whether nothing is excluded.
    pub fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    /// The longest run from the start of `memory` that is served in one way.
    pub fn first_run(&self, memory: Range) -> Run {
        let next = self.0.iter().find(|range| range.end() > memory.start());
        let to = |end: u64| Range::new(memory.start(), memory.end().min(end)).unwrap_or(memory);
        match next {
            Some(range) if range.contains(memory.start()) => Run::Zeros(to(range.end())),
            Some(range) => Run::Memory(to(range.start())),
            None => Run::Memory(memory),
        }
    }
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} pieces of memory with {}",
            self.0.as_slice().len(),
            Size(self.0.total_len())
        )
    }
}

fn parse_entry(entry: &[u8], page_len: u64) -> Option<Range> {
    let dash = entry.iter().position(|byte| *byte == b'-')?;
    let start = number(entry.get(..dash)?)?;
    let end = number(entry.get(dash.checked_add(1)?..)?)?;
    Range::new(start, end)
        .filter(|range| !range.is_empty())?
        .align_outward(page_len)
}

/// A number in decimal, or in hexadecimal after `0x`.
fn number(text: &[u8]) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?;
    // from_str_radix would take a sign.
    if text.starts_with('+') || text.starts_with("0x+") {
        return None;
    }
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
