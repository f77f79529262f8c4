// SPDX-License-Identifier: GPL-2.0

//! Sets of page frames, whose size is that of their runs: memory of many TiB has few of them, unless it is
//! fragmented.

mod encoding;

use std::ops::Range;

use encoding::{
    Encoded,
    Position, //
};

/// A set of page frame numbers, as runs in ascending order with a gap between each two.
///
/// A run takes two bytes where it and the gap before it are short, and three to five bytes mostly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// All runs but the last.
    before: Encoded,
    /// The last run, which may become longer. Empty if there is none.
    last: Range<u64>,
    count: u64,
}

impl Frames {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a run that begins at or after the end of the last one.
    ///
    /// # Panics
    ///
    /// It begins before that.
    pub fn push(&mut self, run: Range<u64>) {
        if run.is_empty() {
            return;
        }
        assert!(
            run.start >= self.last.end,
            "runs are added in ascending order"
        );
        self.count += run.end - run.start;
        if run.start == self.last.end && !self.last.is_empty() {
            self.last.end = run.end;
            return;
        }
        let last = std::mem::replace(&mut self.last, run);
        if !last.is_empty() {
            self.before.push(last);
        }
    }

    /// The runs in ascending order.
    pub fn runs(&self) -> Runs<'_> {
        self.runs_at(Position::default())
    }

    /// The runs in ascending order, from the first that does not end before or at this frame.
    pub fn runs_from(&self, frame: u64) -> Runs<'_> {
        let mut runs = self.runs_at(self.before.position(frame));
        let mut rest = runs.clone();
        while rest.next().is_some_and(|run| run.end <= frame) {
            runs = rest.clone();
        }
        runs
    }

    fn runs_at(&self, position: Position) -> Runs<'_> {
        Runs {
            frames: self,
            position,
            has_last: !self.last.is_empty(),
        }
    }

    /// The number of frames.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The frame after the last one; 0 if there is none.
    pub fn end(&self) -> u64 {
        self.last.end
    }

    /// Whether a frame is in the set.
    pub fn contains(&self, frame: u64) -> bool {
        let next = self.runs_from(frame).next();
        next.is_some_and(|run| run.start <= frame)
    }

    /// The frames that are in this set, but not in the other.
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Self::new();
        let mut others = other.runs().peekable();
        for run in self.runs() {
            let mut start = run.start;
            while let Some(other) = others.next_if(|other| other.end <= run.end) {
                rest.push(start..other.start.max(start));
                start = start.max(other.end);
            }
            match others.peek() {
                Some(other) if other.start < run.end => {
                    rest.push(start..other.start.max(start));
                }
                _ => rest.push(start..run.end),
            }
        }
        rest
    }

    /// The frames that are in both sets.
    pub fn and(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }

    /// The frames that are in one of the sets or in both.
    pub fn or(&self, other: &Self) -> Self {
        let mut all = Self::new();
        let (mut ours, mut theirs) = (self.runs().peekable(), other.runs().peekable());
        loop {
            let run = match (ours.peek(), theirs.peek()) {
                (Some(our), Some(their)) if our.start > their.start => theirs.next(),
                (Some(_), _) => ours.next(),
                (None, _) => theirs.next(),
            };
            let Some(run) = run else {
                return all;
            };
            all.push(run.start.max(all.end())..run.end.max(all.end()));
        }
    }
}

/// The runs of a set.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    frames: &'a Frames,
    position: Position,
    /// Whether the last run is still to come.
    has_last: bool,
}

impl Iterator for Runs<'_> {
    type Item = Range<u64>;

    fn next(&mut self) -> Option<Range<u64>> {
        let next = self.frames.before.next(&mut self.position);
        next.or_else(|| std::mem::take(&mut self.has_last).then(|| self.frames.last.clone()))
    }
}

impl From<Range<u64>> for Frames {
    fn from(run: Range<u64>) -> Self {
        std::iter::once(run).collect()
    }
}

impl FromIterator<Range<u64>> for Frames {
    /// Runs in any order, which may overlap.
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(runs: I) -> Self {
        let mut runs: Vec<_> = runs.into_iter().filter(|run| !run.is_empty()).collect();
        runs.sort_by_key(|run| run.start);
        let mut frames = Self::new();
        for run in runs {
            let end = frames.end();
            frames.push(run.start.max(end)..run.end.max(end));
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Runs in any order, and the frames that are in them.
    fn sets() -> impl Strategy<Value = (Frames, BTreeSet<u64>)> {
        prop::collection::vec((0_u64..200, 0_u64..20), 0..12).prop_map(|runs| {
            let runs: Vec<_> = runs
                .into_iter()
                .map(|(start, len)| start..start + len)
                .collect();
            (
                runs.iter().cloned().collect(),
                runs.into_iter().flatten().collect(),
            )
        })
    }

    fn members(frames: &Frames) -> BTreeSet<u64> {
        frames.runs().flatten().collect()
    }

    proptest! {
        #[test]
        fn sets_of_runs_are_sets((frames, set) in sets(), (others, other) in sets()) {
            prop_assert_eq!(members(&frames), set.clone());
            prop_assert_eq!(frames.count(), set.len() as u64);
            for frame in 0..230 {
                prop_assert_eq!(frames.contains(frame), set.contains(&frame));
            }
            prop_assert_eq!(members(&frames.without(&others)), &set - &other);
            prop_assert_eq!(members(&frames.and(&others)), &set & &other);
            prop_assert_eq!(members(&frames.or(&others)), &set | &other);
            let runs: Vec<_> = frames.runs().collect();
            prop_assert!(runs.windows(2).all(|pair| pair[0].end < pair[1].start));
            prop_assert_eq!(frames.end(), runs.last().map_or(0, |run| run.end));
            for frame in 0..230 {
                let from: Vec<_> = frames.runs_from(frame).collect();
                let first = runs.partition_point(|run| run.end <= frame);
                prop_assert_eq!(&from, &runs[first..]);
            }
        }
    }

    #[test]
    fn many_runs_are_found_again_in_little_memory() {
        // Gaps and lengths of one to nine bytes.
        let mut end = 0;
        let mut runs = Vec::new();
        for number in 0_u64..100_000 {
            let start = end + 1 + (number * number) % (1 << (number % 28));
            end = start + 1 + number % (1 << (number % 13));
            runs.push(start..end);
        }
        runs.push((1 << 63)..u64::MAX);
        let mut frames = Frames::new();
        runs.iter().cloned().for_each(|run| frames.push(run));
        assert!(frames.runs().eq(runs.iter().cloned()));
        for run in &runs {
            assert!(frames.contains(run.start) && frames.contains(run.end - 1));
            assert!(!frames.contains(run.start - 1) && !frames.contains(run.end));
            assert_eq!(frames.runs_from(run.end - 1).next(), Some(run.clone()));
        }
        assert_eq!(frames, runs.into_iter().collect());
    }

    #[test]
    #[should_panic(expected = "ascending order")]
    fn runs_are_added_in_ascending_order() {
        let mut frames = Frames::new();
        frames.push(4..8);
        frames.push(7..9);
    }
}
