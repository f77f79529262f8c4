// SPDX-License-Identifier: GPL-2.0

//! The bitmap of the kept frames in a file, and how many of them are below a frame.

use std::io;

use crate::{
    frames::Frames,
    source::{
        for_each_data_piece,
        Source, //
    }, //
};

/// The bytes of a bitmap from one count to the next.
const BLOCK: u64 = 1024;

/// How much of a bitmap is read at a time: whole blocks.
const PIECE: u64 = 64 * BLOCK;

/// A bitmap in a file, with as many counts as make looking for a frame fast.
#[derive(Debug)]
pub struct Ranks {
    offset: u64,
    /// The blocks that have a bit that is set, and how many are before each.
    blocks: Vec<(u64, u64)>,
    total: u64,
}

impl Ranks {
    /// Counts the bits of a bitmap, which the file has.
    pub fn new(source: &impl Source, offset: u64, len: u64) -> io::Result<Self> {
        let mut blocks = Vec::new();
        let mut total = 0;
        for_each_data_piece(source, offset, len, PIECE, |start, piece| {
            for (block, bytes) in (start / BLOCK..).zip(piece.chunks(BLOCK as usize)) {
                let count = ones(bytes);
                if count > 0 {
                    blocks.push((block, total));
                }
                total += count;
            }
        })?;
        Ok(Self {
            offset,
            blocks,
            total,
        })
    }

    /// How many bits below a frame's are set, and whether its own is.
    pub fn find(&self, source: &impl Source, frame: u64) -> io::Result<(u64, bool)> {
        let byte = frame / 8;
        let block = byte / BLOCK;
        let at = self.blocks.partition_point(|(known, _)| *known < block);
        let Some((known, count)) = self.blocks.get(at) else {
            return Ok((self.total, false));
        };
        if *known != block {
            return Ok((*count, false));
        }
        let start = block * BLOCK;
        let len = (byte - start) as usize;
        let mut buffer = [0; BLOCK as usize];
        let bytes = &mut buffer[..=len];
        source.read_exact_at(bytes, self.offset + start)?;
        let below = bytes[len] & ((1 << (frame % 8)) - 1);
        let is_set = bytes[len] >> (frame % 8) & 1 == 1;
        let count = count + ones(&bytes[..len]) + u64::from(below.count_ones());
        Ok((count, is_set))
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
    let mut last = 0;
    for_each_data_piece(source, offset, len, PIECE, |start, piece| {
        if start != last {
            // There were zeros in between.
            close(&mut frames, &mut open, last * 8, end);
        }
        last = start + piece.len() as u64;
        for (word, first) in piece.chunks(8).zip((start * 8..).step_by(64)) {
            let bits = to_word(word);
            let mut at = 0;
            while at < 64 {
                let rest = bits >> at;
                let is_set = rest & 1 == 1;
                // How many bits from here on are as the one here.
                let same = match is_set {
                    true => (!rest).trailing_zeros(),
                    false => rest.trailing_zeros(),
                };
                let frame = first + u64::from(at);
                match is_set {
                    true => _ = open.get_or_insert(frame),
                    false => close(&mut frames, &mut open, frame, end),
                }
                at += same.min(64 - at);
            }
        }
    })?;
    close(&mut frames, &mut open, last * 8, end);
    Ok(frames)
}

/// Ends a run before a frame.
fn close(frames: &mut Frames, open: &mut Option<u64>, frame: u64, end: u64) {
    if let Some(start) = open.take() {
        frames.push(start.min(end)..frame.min(end));
    }
}
