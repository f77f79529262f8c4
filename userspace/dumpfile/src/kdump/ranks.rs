// SPDX-License-Identifier: GPL-2.0

//! The bitmap of the kept frames in a file, and how many of them are below a frame.

use std::io;

use crate::{
    frames::Frames,
    source::Source, //
};

/// The bytes of a bitmap from one count to the next.
const BLOCK: u64 = 1024;

/// How much of a bitmap is read at a time.
const PIECE: u64 = 64 * BLOCK;

/// A bitmap in a file, with as many counts as make looking for a frame fast.
#[derive(Debug)]
pub struct Ranks {
    offset: u64,
    len: u64,
    /// The number of bits that are set before each block.
    counts: Vec<u64>,
}

impl Ranks {
    /// Counts the bits of a bitmap, which the file has.
    pub fn new(source: &impl Source, offset: u64, len: u64) -> io::Result<Self> {
        let mut counts = Vec::with_capacity(len.div_ceil(BLOCK) as usize);
        let mut count = 0;
        for start in (0..len).step_by(PIECE as usize) {
            let piece = source.read_vec(offset + start, PIECE.min(len - start))?;
            for block in piece.chunks(BLOCK as usize) {
                counts.push(count);
                count += ones(block);
            }
        }
        Ok(Self {
            offset,
            len,
            counts,
        })
    }

    /// How many bits below a frame's are set, and whether its own is.
    pub fn find(&self, source: &impl Source, frame: u64) -> io::Result<(u64, bool)> {
        let byte = frame / 8;
        if byte >= self.len {
            return Ok((0, false));
        }
        let start = byte / BLOCK * BLOCK;
        let len = (byte - start) as usize;
        let mut buffer = [0; BLOCK as usize];
        let block = &mut buffer[..=len];
        source.read_exact_at(block, self.offset + start)?;
        let count = self.counts[(byte / BLOCK) as usize] + ones(&block[..len]);
        let below = block[len] & ((1 << (frame % 8)) - 1);
        let is_set = block[len] >> (frame % 8) & 1 == 1;
        Ok((count + u64::from(below.count_ones()), is_set))
    }
}

/// The number of bits that are set.
fn ones(bytes: &[u8]) -> u64 {
    let words = bytes.chunks_exact(8);
    let rest: u32 = words.remainder().iter().map(|byte| byte.count_ones()).sum();
    words
        .map(|word| u64::from(to_word(word).count_ones()))
        .sum::<u64>()
        + u64::from(rest)
}

/// Up to eight bytes as a number.
fn to_word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// The frames whose bits are set in a bitmap, which the file has, up to one that is not among them.
pub fn frames(source: &impl Source, offset: u64, len: u64, end: u64) -> io::Result<Frames> {
    let mut frames = Frames::new();
    // The run that has not ended.
    let mut open: Option<u64> = None;
    for start in (0..len).step_by(PIECE as usize) {
        let piece = source.read_vec(offset + start, PIECE.min(len - start))?;
        for (word, first) in piece.chunks(8).zip((start * 8..).step_by(64)) {
            let bits = to_word(word);
            let mut at = 0;
            while at < 64 {
                let rest = bits >> at;
                // How many bits from here on are as the one here.
                let same = match rest & 1 {
                    1 => (!rest).trailing_zeros(),
                    _ => rest.trailing_zeros(),
                };
                let frame = first + u64::from(at);
                match (rest & 1 == 1, open) {
                    (true, None) => open = Some(frame),
                    (false, Some(start)) => {
                        frames.push(start.min(end)..frame.min(end));
                        open = None;
                    }
                    _ => {}
                }
                at += same.min(64 - at);
            }
        }
    }
    if let Some(start) = open {
        frames.push(start.min(end)..end.min(len * 8));
    }
    Ok(frames)
}
