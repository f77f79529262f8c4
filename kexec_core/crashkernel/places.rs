// SPDX-License-Identifier: GPL-2.0

//! Memory that is named by size and place, in the manner of `crashkernel=` and `memmap=`.

use super::number::number;
use crate::types::ranges::{
    Range,
    RangeList, //
};

/// The most places.
pub const PLACES_MAX: usize = 8;

/// Reads `SIZE@START[,SIZE@START...]`. None if the text is something else, if a place is empty or beyond the
/// last address, if two have memory in common, or if there are too many.
pub fn places(text: &[u8]) -> Option<RangeList<PLACES_MAX>> {
    let mut places = RangeList::new();
    for part in text.split(|byte| *byte == b',') {
        let size = number(part)?;
        let start = number(size.rest.strip_prefix(b"@")?)?;
        if !start.rest.is_empty() {
            return None;
        }
        let place = Range::from_start_len(start.value?, size.value?)?;
        if place.is_empty() || places.iter().any(|other: &Range| other.overlaps(&place)) {
            return None;
        }
        places.push(place).ok()?;
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{
        vec,
        vec::Vec, //
    };

    fn found(text: &str) -> Option<Vec<(u64, u64)>> {
        let places = places(text.as_bytes())?;
        Some(places.iter().map(|r| (r.start(), r.len())).collect())
    }

    #[test]
    fn places_are_read_in_any_order() {
        assert_eq!(found("192M@1G"), Some(vec![(1 << 30, 192 << 20)]));
        assert_eq!(
            found("0x1000@0x200000,1g@4G"),
            Some(vec![(0x20_0000, 0x1000), (4 << 30, 1 << 30)])
        );
        // Those side by side are one.
        assert_eq!(found("1M@2M,1M@1M"), Some(vec![(1 << 20, 2 << 20)]));
    }

    #[test]
    fn other_texts_name_nothing() {
        for text in [
            "",
            "192M",
            "192M$1G",
            "@1G",
            "192M@",
            "0@1G",
            "1M@1M,",
            ",1M@1M",
            "1M@1M 1M@2M",
            "1M@1Mx",
            "2M@1M,1M@2M",
            "16E@0",
            "0x8000000000000000@0x8000000000000001",
            "1@1,1@3,1@5,1@7,1@9,1@11,1@13,1@15,1@17",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
