// SPDX-License-Identifier: GPL-2.0

//! The order in which frames are written, and the pieces that are handed to workers.

use std::ops::Range;

use crate::frames::Frames;

/// The frames in a piece that one worker writes before it asks for the next.
pub const CHUNK_FRAMES: u64 = 4096;

/// The most runs in a piece.
const CHUNK_RUNS: usize = 1024;

/// A run of frames that a dump keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The frames.
    pub frames: Range<u64>,
    /// How many kept frames there are below the first of them: its place among the descriptors.
    pub index: u64,
}

/// The runs of a subset of the frames that a dump keeps, with their places among all. What is not kept
/// is left out.
pub fn runs<'a>(kept: &'a Frames, subset: &'a Frames) -> impl Iterator<Item = Run> + Send + 'a {
    let mut kept = kept.runs().peekable();
    let mut below = 0;
    let mut subset = subset.runs();
    let mut rest = 0..0;
    std::iter::from_fn(move || loop {
        if rest.is_empty() {
            rest = subset.next()?;
        }
        let run = kept.peek()?.clone();
        let start = rest.start.max(run.start);
        let end = rest.end.min(run.end);
        if run.end <= rest.end {
            kept.next();
        }
        let index = below + start.saturating_sub(run.start);
        if run.end <= rest.end {
            below += run.end - run.start;
        }
        rest.start = rest.end.min(run.end.max(rest.start));
        if start < end {
            return Some(Run {
                frames: start..end,
                index,
            });
        }
    })
}

/// Pieces of at most [`CHUNK_FRAMES`] frames. Each has runs in the order in which they came.
pub fn chunks(runs: impl Iterator<Item = Run> + Send) -> impl Iterator<Item = Vec<Run>> + Send {
    let mut runs = runs.peekable();
    std::iter::from_fn(move || {
        let mut chunk = Vec::new();
        let mut room = CHUNK_FRAMES;
        while room > 0 && chunk.len() < CHUNK_RUNS {
            let Some(run) = runs.peek_mut() else {
                break;
            };
            let len = (run.frames.end - run.frames.start).min(room);
            let end = run.frames.start + len;
            chunk.push(Run {
                frames: run.frames.start..end,
                index: run.index,
            });
            room -= len;
            run.frames.start = end;
            run.index += len;
            if run.frames.is_empty() {
                runs.next();
            }
        }
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames() -> impl Strategy<Value = Frames> {
        let runs = prop::collection::vec((0_u64..9000, 0_u64..6000), 0..9);
        runs.prop_map(|runs| runs.into_iter().map(|(at, len)| at..at + len).collect())
    }

    proptest! {
        #[test]
        fn each_frame_has_its_place_among_all(kept in frames(), subset in frames()) {
            let places: Vec<u64> = kept.runs().flatten().collect();
            let mut written = Vec::new();
            for chunk in chunks(runs(&kept, &subset)) {
                let frames: u64 = chunk.iter().map(|run| run.frames.end - run.frames.start).sum();
                prop_assert!((1..=CHUNK_FRAMES).contains(&frames));
                for run in chunk {
                    for (frame, index) in run.frames.zip(run.index..) {
                        prop_assert_eq!(places[index as usize], frame);
                        written.push(frame);
                    }
                }
            }
            let expected: Vec<u64> = kept.and(&subset).runs().flatten().collect();
            prop_assert_eq!(written, expected);
        }
    }
}
