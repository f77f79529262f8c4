// SPDX-License-Identifier: GPL-2.0

//! The search for the least memory that suffices.

/// The difference between the least that suffices and the most that does not.
pub const STEP: u64 = 4 << 20;

/// How often more than the estimate is tried, each time half as much again.
const LARGER: usize = 2;

/// The least multiple of [`STEP`] that suffices, by halves; none if not even much more than `start` does.
/// `floor` bytes are taken not to suffice.
pub fn least<E>(
    start: u64,
    floor: u64,
    mut suffices: impl FnMut(u64) -> Result<bool, E>,
) -> Result<Option<u64>, E> {
    let mut too_small = floor / STEP;
    let mut enough = start.div_ceil(STEP).max(too_small + 1);
    let mut larger = 0;
    while !suffices(enough * STEP)? {
        if larger == LARGER {
            return Ok(None);
        }
        larger += 1;
        too_small = enough;
        enough += (enough / 2).max(1);
    }
    while enough - too_small > 1 {
        let middle = too_small + (enough - too_small) / 2;
        match suffices(middle * STEP)? {
            true => enough = middle,
            false => too_small = middle,
        }
    }
    Ok(Some(enough * STEP))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, and what was tried, in steps.
    fn search(start: u64, floor: u64, needed: u64) -> (Option<u64>, Vec<u64>) {
        let mut tried = Vec::new();
        let found = least(start * STEP, floor * STEP, |len| {
            tried.push(len / STEP);
            Ok::<_, ()>(len >= needed * STEP)
        });
        let found = found.expect("no try fails");
        (found.map(|len| len / STEP), tried)
    }

    #[test]
    fn the_least_is_found_below_the_estimate() {
        for needed in 9..=18 {
            let (found, tried) = search(18, 8, needed);
            assert_eq!(found, Some(needed), "{tried:?}");
            assert!(tried.len() <= 5, "{tried:?}");
        }
    }

    #[test]
    fn an_estimate_that_is_too_small_is_no_end() {
        assert_eq!(search(10, 4, 14), (Some(14), vec![10, 15, 12, 13, 14]));
    }

    #[test]
    fn what_memory_does_not_help_is_given_up() {
        assert_eq!(search(10, 4, 1000), (None, vec![10, 15, 22]));
    }
}
