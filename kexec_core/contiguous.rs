// SPDX-License-Identifier: GPL-2.0

//! Memory that is taken from a running kernel: where, and in how many pieces.
//!
//! A kernel can empty a range of memory by moving what is in it elsewhere. It fails where something
//! cannot be moved, such as the kernel's own structures, and it does not say where that is. So places are
//! tried, from the highest address downwards, as a kernel reserves for `crashkernel=`.

#[cfg(test)]
mod tests;

use crate::types::{
    bytes::align_up,
    errno::Errno,
    ranges::{
        Range,
        RangeList, //
    },
    size::Size, //
};
use core::fmt;

/// The most pieces that one reservation consists of.
pub const PIECES_MAX: usize = 8;

/// Pieces start at multiples of this: large pages of the kernel's map of all RAM can map them.
pub const ALIGNMENT: u64 = 2 << 20;

/// A piece is not shorter than this, in bytes, where one of the wanted length cannot be had.
pub const PIECE_MIN: u64 = 16 << 20;

/// The memory of a running kernel.
pub trait Memory {
    /// Memory that was taken. Dropping it gives it back.
    type Piece;

    /// The highest page of `range` that is known not to be movable, by its address.
    fn obstacle(&self, range: Range) -> Option<u64>;

    /// Takes a range, if all that is in it can be moved.
    fn take(&mut self, range: Range) -> Option<Self::Piece>;
}

/// Memory that was taken, in pieces.
#[derive(Debug)]
pub struct Pieces<P> {
    /// What keeps it.
    _pieces: [Option<P>; PIECES_MAX],
    ranges: RangeList<PIECES_MAX>,
}

impl<P> Pieces<P> {
    /// Where it is, in ascending order. Pieces side by side are one range.
    pub fn ranges(&self) -> &RangeList<PIECES_MAX> {
        &self.ranges
    }
}

/// So much could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// What was asked for, in bytes.
    pub wanted: u64,
    /// What could be had in pieces that are not too short, and not too many; in bytes.
    pub in_pieces: u64,
    /// The largest of them.
    pub largest: u64,
}

impl Shortage {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoMem
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, all, largest) = (Size(self.wanted), self.in_pieces, Size(self.largest));
        write!(
            f,
            "{wanted} cannot be taken from the running kernel, whose own structures are in the way: "
        )?;
        match all {
            0 => write!(
                f,
                "not even {} could be had in one piece: free memory, or reserve it at boot with \
                 crashkernel=",
                Size(PIECE_MIN)
            ),
            all => write!(
                f,
                "{} could be had, {largest} of it in one piece: ask for no more than that, free \
                 memory, or reserve it at boot with crashkernel=",
                Size(all)
            ),
        }
    }
}

/// What a capture kernel can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The addresses that it can reach, devices included.
    pub within: Range,
    /// How many pieces it can be told of; more than [`PIECES_MAX`] are never taken.
    pub pieces: usize,
}

/// Takes `wanted` bytes of `ram`, which is ascending, in as few pieces as can be had. Takes nothing where
/// that is not possible.
pub fn take<M: Memory>(
    memory: &mut M,
    ram: &[Range],
    limits: Limits,
    wanted: u64,
) -> Result<Pieces<M::Piece>, Shortage> {
    take_within(memory, ram, limits, wanted, usize::MAX)
}

/// The same, where no more than so many places are tried: each may have much to be moved before it is found that
/// something cannot be.
pub fn take_within<M: Memory>(
    memory: &mut M,
    ram: &[Range],
    limits: Limits,
    wanted: u64,
    mut tries: usize,
) -> Result<Pieces<M::Piece>, Shortage> {
    let mut pieces = [const { None }; PIECES_MAX];
    let mut ranges = RangeList::new();
    let mut largest = 0;
    let whole = align_up(wanted, ALIGNMENT);
    let (mut left, mut len) = (whole.unwrap_or(0), whole.unwrap_or(0));
    for place in pieces.iter_mut().take(limits.pieces) {
        while left > 0 && place.is_none() {
            if let Some((range, piece)) = highest(memory, ram, limits.within, len, &mut tries) {
                // It cannot be full: each place has one range at most.
                let _ = ranges.push(range);
                *place = Some(piece);
                largest = largest.max(range.len());
                left = left.saturating_sub(range.len());
                len = len.min(left);
            } else if len > PIECE_MIN {
                len = align_up(len / 2, ALIGNMENT).unwrap_or(0).max(PIECE_MIN);
            } else {
                break;
            }
        }
    }
    match whole {
        Some(_) if left == 0 => Ok(Pieces {
            _pieces: pieces,
            ranges,
        }),
        _ => Err(Shortage {
            wanted,
            in_pieces: ranges.total_len(),
            largest,
        }),
    }
}

/// Takes the highest piece of `len` bytes that can be had within so many tries, of which it takes those that it
/// needs.
fn highest<M: Memory>(
    memory: &mut M,
    ram: &[Range],
    within: Range,
    len: u64,
    tries: &mut usize,
) -> Option<(Range, M::Piece)> {
    let parts = ram.iter().rev();
    for part in parts.filter_map(|part| part.intersection(&within)) {
        let mut end = part.end();
        // There is no obstacle from here to the end of the next place.
        let mut clear = end;
        while let Some(place) = last_place(part, end, len) {
            // With some of what was looked at, so that all of the place is looked at as one.
            let unseen = place.end().min(clear.saturating_add(ALIGNMENT));
            let unseen = Range::new(place.start(), unseen).unwrap_or(place);
            (clear, end) = match memory.obstacle(unseen) {
                Some(page) => (page, page),
                None => {
                    *tries = tries.checked_sub(1)?;
                    match memory.take(place) {
                        Some(piece) => return Some((place, piece)),
                        None => (place.start(), place.end().saturating_sub(ALIGNMENT)),
                    }
                }
            };
        }
    }
    None
}

/// The last place for `len` bytes in `part` that ends at `end` or before.
fn last_place(part: Range, end: u64, len: u64) -> Option<Range> {
    let start = end.checked_sub(len)? & !(ALIGNMENT - 1);
    Range::from_start_len(start, len).filter(|place| part.encloses(place))
}
