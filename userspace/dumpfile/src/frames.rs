// SPDX-License-Identifier: GPL-2.0

//! Sets of page frames, whose size is that of their runs: memory of many TiB has few of them.

use std::ops::Range;

/// A set of page frame numbers, as runs in ascending order with a gap between each two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    runs: Vec<Range<u64>>,
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
        match self.runs.last_mut() {
            Some(last) if run.start < last.end => panic!("runs are added in ascending order"),
            Some(last) if run.start == last.end => last.end = run.end,
            _ => self.runs.push(run),
        }
    }

    /// The runs in ascending order.
    pub fn runs(&self) -> &[Range<u64>] {
        &self.runs
    }

    /// The number of frames.
    pub fn count(&self) -> u64 {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    /// Whether a frame is in the set.
    pub fn contains(&self, frame: u64) -> bool {
        let next = self.runs.partition_point(|run| run.end <= frame);
        self.runs.get(next).is_some_and(|run| run.start <= frame)
    }

    /// The frames that are in this set, but not in the other.
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Self::new();
        let mut others = other.runs.iter().peekable();
        for run in &self.runs {
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
            let end = frames.runs.last().map_or(0, |last| last.end);
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
        frames.runs().iter().cloned().flatten().collect()
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
            for pair in frames.runs().windows(2) {
                prop_assert!(pair[0].end < pair[1].start);
            }
        }
    }

    #[test]
    #[should_panic(expected = "ascending order")]
    fn runs_are_added_in_ascending_order() {
        let mut frames = Frames::new();
        frames.push(4..8);
        frames.push(7..9);
    }
}
