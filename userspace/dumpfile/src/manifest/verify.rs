// SPDX-License-Identifier: GPL-2.0

//! Compares a dump with its manifest.

use std::{
    collections::BTreeMap,
    fmt,
    io::{
        self,
        BufRead,
        Read, //
    },
    ops::Range, //
};

use super::{
    Line,
    DIGEST,
    VERSION, //
};
use crate::source::Source;

/// The longest line, which is longer than any that is written.
const LINE_LEN_MAX: u64 = 1024;

/// How much of the dump is in memory at a time.
const PIECE: u64 = 1 << 20;

/// Why a dump cannot be compared with its manifest.
#[derive(Debug)]
pub enum ManifestError {
    /// The manifest cannot be read.
    Io(io::Error),
    /// The dump cannot be read at an offset.
    Dump(u64, io::Error),
    /// It does not begin as a manifest.
    Head,
    /// A line is none of a manifest's. The first one has the number 1.
    Line(u64),
    /// A chunk overlaps another.
    Overlap(u64),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the manifest cannot be read: {error}"),
            Self::Dump(offset, error) => {
                write!(f, "the dump cannot be read at {offset:#x}: {error}")
            }
            Self::Head => write!(
                f,
                "the file is no manifest of version {VERSION} with {DIGEST} digests"
            ),
            Self::Line(number) => write!(
                f,
                "line {number} of the manifest is none of a manifest's: it was damaged"
            ),
            Self::Overlap(offset) => write!(
                f,
                "two chunks of the manifest overlap at {offset:#x}: it was damaged"
            ),
        }
    }
}

impl std::error::Error for ManifestError {}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of chunks.
    pub chunks: u64,
    /// The bytes in them.
    pub bytes: u64,
    /// Whether the writer came to the end of the dump.
    pub is_complete: bool,
    /// Offsets at which the dump is not what was written, in ascending order. What no line tells of is
    /// among that only where the writer came to its end.
    pub damaged: Vec<Range<u64>>,
}

/// A chunk's length and digest.
type Chunk = (u64, blake3::Hash);

/// Compares a dump with its manifest.
pub fn verify(dump: &impl Source, manifest: impl BufRead) -> Result<Verified, ManifestError> {
    let (chunks, end) = read(manifest)?;
    let mut verified = Verified {
        chunks: chunks.len() as u64,
        is_complete: end.is_some(),
        ..Verified::default()
    };
    let mut last = 0;
    for (offset, (len, digest)) in chunks {
        if offset < last {
            return Err(ManifestError::Overlap(offset));
        }
        // The sum is no larger than the last end, which is a number.
        verified.bytes += len;
        // A writer that did not come to its end may not have noted what it had just written.
        if verified.is_complete {
            verify_zeros(dump, last..offset, &mut verified.damaged)?;
        }
        last = offset
            .checked_add(len)
            .ok_or(ManifestError::Overlap(offset))?;
        if last > dump.len() || hash(dump, offset..last)? != digest {
            verified.damaged.push(offset..last);
        }
    }
    if verified.is_complete {
        verify_zeros(dump, last..dump.len(), &mut verified.damaged)?;
    }
    Ok(verified)
}

/// The chunks by offset, and the end of the last one if the manifest has it.
fn read(mut manifest: impl BufRead) -> Result<(BTreeMap<u64, Chunk>, Option<u64>), ManifestError> {
    let mut chunks = BTreeMap::new();
    let mut end = None;
    let mut has_head = false;
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let mut line = (&mut manifest).take(LINE_LEN_MAX);
        line.read_until(b'\n', &mut text)
            .map_err(ManifestError::Io)?;
        if text.is_empty() {
            break;
        }
        let wrong = match number {
            1 => ManifestError::Head,
            _ => ManifestError::Line(number),
        };
        let is_cut = !text.ends_with(b"\n") && (text.len() as u64) < LINE_LEN_MAX;
        if is_cut && number > 1 {
            // The writer did not come to the end of the line.
            break;
        }
        match (number, serde_json::from_slice(&text)) {
            (1, Ok(Line::Head { manifest, digest })) if manifest == VERSION && digest == DIGEST => {
                has_head = true;
            }
            (
                2..,
                Ok(Line::Chunk {
                    offset,
                    len,
                    blake3,
                }),
            ) if end.is_none() => {
                let digest = blake3::Hash::from_hex(blake3).map_err(|_| wrong)?;
                chunks.insert(offset, (len, digest));
            }
            (2.., Ok(Line::End { end: offset })) if end.is_none() => end = Some(offset),
            _ => return Err(wrong),
        }
    }
    match has_head {
        true => Ok((chunks, end)),
        false => Err(ManifestError::Head),
    }
}

/// The digest of a part of a dump.
fn hash(dump: &impl Source, part: Range<u64>) -> Result<blake3::Hash, ManifestError> {
    let mut hasher = blake3::Hasher::new();
    for_each_piece(dump, part, |piece| _ = hasher.update(piece))?;
    Ok(hasher.finalize())
}

/// Notes where a part of a dump is something else than zeros.
fn verify_zeros(
    dump: &impl Source,
    part: Range<u64>,
    damaged: &mut Vec<Range<u64>>,
) -> Result<(), ManifestError> {
    let mut start = part.start;
    let end = part.end.min(dump.len());
    while start < end {
        start = dump.next_data(start);
        let piece = start..end.min(start.saturating_add(PIECE));
        if piece.is_empty() {
            break;
        }
        start = piece.end;
        for_each_piece(dump, piece.clone(), |bytes| {
            if bytes.iter().any(|byte| *byte != 0) {
                damaged.push(piece.clone());
            }
        })?;
    }
    Ok(())
}

/// Reads a part of a dump, piece after piece.
fn for_each_piece(
    dump: &impl Source,
    part: Range<u64>,
    mut each: impl FnMut(&[u8]),
) -> Result<(), ManifestError> {
    let mut start = part.start;
    while start < part.end {
        let len = PIECE.min(part.end - start);
        let piece = dump
            .read_vec(start, len)
            .map_err(|error| ManifestError::Dump(start, error))?;
        each(&piece);
        start += len;
    }
    Ok(())
}
