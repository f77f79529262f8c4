// SPDX-License-Identifier: GPL-2.0

//! How a dump is split into several files.

use std::ops::Range;

use crate::frames::Frames;

/// Parts begin at multiples of this many frames. crash counts the frames of a part in words of 64
/// bits, and finds the wrong ones where a part begins within a word (`read_dump_header`).
pub const PART_FRAMES: u64 = 64;

/// This many ranges of frames, which together are all of `memory`, and have about as many of the kept
/// ones each.
pub fn parts(memory: &Frames, kept: &Frames, count: usize) -> Vec<Range<u64>> {
    let total = kept.count();
    let mut start = 0;
    let mut parts = Vec::with_capacity(count);
    for part in 1..=count {
        let wanted = (u128::from(total) * part as u128 / count as u128) as u64;
        let at = match part == count {
            true => memory.end(),
            false => frame_after(kept, wanted).next_multiple_of(PART_FRAMES),
        };
        let at = at.clamp(start, memory.end().max(start));
        parts.push(start..at);
        start = at;
    }
    parts
}

/// The first frame that has so many kept ones below it.
fn frame_after(kept: &Frames, count: u64) -> u64 {
    let mut rest = count;
    for run in kept.runs() {
        let len = run.end - run.start;
        if rest <= len {
            return run.start + rest;
        }
        rest -= len;
    }
    kept.end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_all_of_the_memory(
            runs in prop::collection::vec((0_u64..9000, 1_u64..500), 1..20),
            count in 1_usize..9,
        ) {
            let kept: Frames = runs.into_iter().map(|(at, len)| at..at + len).collect();
            let memory = Frames::from(0..kept.end() + 7);
            let parts = parts(&memory, &kept, count);
            prop_assert_eq!(parts.len(), count);
            prop_assert_eq!((parts[0].start, parts[count - 1].end), (0, memory.end()));
            prop_assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(parts.iter().all(|part| part.start % 64 == 0 || part.is_empty()));
            let equal = kept.count() / count as u64;
            for part in parts {
                let has = kept.and(&Frames::from(part)).count();
                prop_assert!(has.abs_diff(equal) <= 2 * PART_FRAMES + count as u64);
            }
        }
    }
}
