// SPDX-License-Identifier: GPL-2.0

//! Where a kernel reserves what it was asked for.

use super::{
    error::ReservationError,
    request::Request,
    rules::Rules, //
};
use crate::types::{
    bytes::align_up,
    ranges::Range, //
};

/// What a kernel reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The region.
    pub region: Range,
    /// The second one, which is there where the region is not low.
    pub low: Option<Range>,
}

/// Where a kernel that has this free memory, in ascending order, reserves what is asked for.
///
/// It takes the highest place that there is: below 4 GiB, unless that is too small or `,high` is given.
pub fn reserve(
    request: &Request,
    free: &[Range],
    rules: &Rules,
) -> Result<Reserved, ReservationError> {
    let low = Range::new(0, rules.low_max).unwrap_or_default();
    let high = Range::new(rules.low_max, rules.high_max).unwrap_or_default();
    let len = request.len;
    if let Some(at) = request.at {
        return at_address(at, len, free, rules);
    }
    if request.high && rules.low_max >= rules.high_max {
        return Err(ReservationError::AllIsLow);
    }
    let (first, second) = match request.high {
        true => (high, low),
        false => (low, high),
    };
    let region = highest(free, len, first, rules)
        .or_else(|| highest(free, len, second, rules))
        .ok_or_else(|| ReservationError::NoRoom {
            len,
            largest: largest(free, low, rules).max(largest(free, high, rules)),
        })?;
    if region.start() < rules.low_max {
        return Ok(Reserved { region, low: None });
    }
    // Without ,high the default counts, whatever ,low says.
    let low_len = match request.high {
        true => request.low_len.unwrap_or(rules.low_len),
        false => rules.low_len,
    };
    if low_len == 0 {
        return Ok(Reserved { region, low: None });
    }
    match highest(free, low_len, low, rules) {
        Some(found) => Ok(Reserved {
            region,
            low: Some(found),
        }),
        None => Err(ReservationError::NoRoomBelow {
            len: low_len,
            largest: largest(free, low, rules),
            limit: rules.low_max,
        }),
    }
}

/// A region at an address that was asked for.
fn at_address(
    at: u64,
    len: u64,
    free: &[Range],
    rules: &Rules,
) -> Result<Reserved, ReservationError> {
    if at & rules.alignment.saturating_sub(1) != 0 {
        return Err(ReservationError::Unaligned {
            at,
            alignment: rules.alignment,
        });
    }
    let region = Range::from_start_len(at, len).ok_or(ReservationError::NoRoom {
        len,
        largest: u64::MAX.saturating_sub(at),
    })?;
    match free.iter().any(|piece| piece.encloses(&region)) {
        true => Ok(Reserved { region, low: None }),
        false => Err(ReservationError::InUse(region)),
    }
}

/// The highest place for `len` bytes in `within`.
fn highest(free: &[Range], len: u64, within: Range, rules: &Rules) -> Option<Range> {
    free.iter().rev().find_map(|piece| {
        let piece = piece.intersection(&within)?;
        let start = piece.end().checked_sub(len)? & !rules.alignment.checked_sub(1)?;
        // Page 0 is never given away.
        let start = Some(start).filter(|start| *start >= piece.start().max(1))?;
        Range::from_start_len(start, len)
    })
}

/// The most bytes that there is a place for in `within`.
fn largest(free: &[Range], within: Range, rules: &Rules) -> u64 {
    let lens = free.iter().filter_map(|piece| {
        let piece = piece.intersection(&within)?;
        let start = align_up(piece.start().max(1), rules.alignment)?;
        piece.end().checked_sub(start)
    });
    lens.max().unwrap_or(0)
}
