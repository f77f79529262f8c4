// SPDX-License-Identifier: GPL-2.0

//! Runs as numbers of as few bytes as they need: for each the gap before it, and its length.

use std::ops::Range;

/// The runs between two marks: as many are read at most to find one.
const RUNS_OF_A_MARK: usize = 64;

/// Runs in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Numbers of seven bits a byte, the lowest first; all but the last byte of a number have the eighth.
    bytes: Vec<u8>,
    /// The places of each so many runs.
    marks: Vec<Position>,
    runs: usize,
    end: u64,
}

/// A place between two runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Where the next run's bytes begin.
    offset: usize,
    /// The end of the run before.
    end: u64,
}

impl Encoded {
    /// Adds a run that begins at or after the end of the last one.
    pub fn push(&mut self, run: Range<u64>) {
        if self.runs % RUNS_OF_A_MARK == 0 {
            self.marks.push(Position {
                offset: self.bytes.len(),
                end: self.end,
            });
        }
        self.number(run.start - self.end);
        self.number(run.end - run.start);
        self.runs += 1;
        self.end = run.end;
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// The run at a place, and the place after it.
    pub fn next(&self, position: &mut Position) -> Option<Range<u64>> {
        let mut bytes = self.bytes.get(position.offset..)?.iter();
        let before = bytes.len();
        let mut number = || {
            let (mut number, mut shift) = (0, 0);
            loop {
                let byte = bytes.next()?;
                number |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    return Some(number);
                }
            }
        };
        let start = position.end + number()?;
        let end = start + number()?;
        position.offset += before - bytes.len();
        position.end = end;
        Some(start..end)
    }

    /// A place that has no run before it which ends after this frame, and few that end before.
    pub fn position(&self, frame: u64) -> Position {
        let after = self.marks.partition_point(|mark| mark.end <= frame);
        let mark = after.checked_sub(1).and_then(|at| self.marks.get(at));
        mark.copied().unwrap_or_default()
    }
}
