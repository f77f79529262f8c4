// SPDX-License-Identifier: GPL-2.0

//! Bitmaps of frames, which are written from runs without ever being in memory as a whole.

use std::{
    io,
    ops::Range, //
};

use crate::{
    frames::Frames,
    target::Target, //
};

/// How much of a bitmap is in memory at a time.
const PIECE: u64 = 128 << 10;

/// Writes the bitmap of a set: `len` bytes at an offset.
pub fn write(target: &impl Target, offset: u64, frames: &Frames, len: u64) -> io::Result<()> {
    let mut piece = Vec::new();
    let mut runs = frames.runs().peekable();
    let mut start = 0;
    while start < len {
        let next = runs.peek().map_or(len, |run| (run.start / 8).min(len));
        if next >= start + PIECE {
            target.clear(offset + start, next - start)?;
            start = next;
            continue;
        }
        let end = len.min(start + PIECE);
        piece.clear();
        piece.resize((end - start) as usize, 0);
        while let Some(run) = runs.peek().filter(|run| run.start < end * 8) {
            let bits = run.start.max(start * 8)..run.end.min(end * 8);
            set(&mut piece, bits.start - start * 8..bits.end - start * 8);
            if run.end > end * 8 {
                break;
            }
            runs.next();
        }
        target.write_at(offset + start, &piece)?;
        start = end;
    }
    Ok(())
}

/// Sets bits that are in the bitmap.
fn set(bitmap: &mut [u8], bits: Range<u64>) {
    let (start, end) = (bits.start as usize, bits.end as usize);
    let whole = start.div_ceil(8)..end / 8;
    if whole.start > whole.end {
        // All are in one byte, and neither its first nor its last is among them.
        (start..end).for_each(|bit| bitmap[bit / 8] |= 1 << (bit % 8));
        return;
    }
    (start..whole.start * 8).for_each(|bit| bitmap[bit / 8] |= 1 << (bit % 8));
    (whole.end * 8..end).for_each(|bit| bitmap[bit / 8] |= 1 << (bit % 8));
    bitmap[whole].fill(0xff);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::MemoryTarget;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_bit_is_set_for_each_frame(
            runs in prop::collection::vec((0_u64..3 * PIECE * 8, 1_u64..PIECE * 10), 0..6),
            short in prop::collection::vec((0_u64..999, 1_u64..9), 0..40),
        ) {
            let runs = runs.into_iter().chain(short).map(|(at, len)| at..at + len);
            let frames: Frames = runs.collect();
            let end = frames.end();
            let len = end.div_ceil(8).next_multiple_of(4096);
            let target = MemoryTarget::default();
            write(&target, 100, &frames, len).unwrap();
            let bitmap = target.into_bytes();
            prop_assert!(bitmap.len() as u64 == 100 + len || len == 0);
            let bit = |frame: u64| bitmap[100 + (frame / 8) as usize] >> (frame % 8) & 1 == 1;
            let mut last = 0;
            for run in frames.runs() {
                prop_assert!((last..run.start).all(|frame| !bit(frame)));
                prop_assert!(run.clone().all(bit));
                last = run.end;
            }
            prop_assert!((last..len * 8).all(|frame| !bit(frame)));
        }
    }
}
