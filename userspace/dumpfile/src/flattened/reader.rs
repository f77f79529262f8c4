// SPDX-License-Identifier: GPL-2.0

//! Reads a file that is in the flattened form, at any place.

use std::{
    collections::BTreeMap,
    fmt,
    io,
    ops::Bound, //
};

use super::{
    END,
    HEADER_LEN,
    RECORD_HEADER_LEN,
    SIGNATURE,
    TYPE,
    VERSION, //
};
use crate::{
    source::{
        DumpFile,
        Source, //
    },
    target::Target, //
};

/// How much is copied at a time.
const PIECE: u64 = 1 << 20;

/// Why a flattened file cannot be read.
#[derive(Debug)]
pub enum FlattenedError {
    /// The file cannot be read.
    Io(io::Error),
    /// It does not begin as such a file.
    Signature,
    /// It is of another type or version.
    Version(i64, i64),
    /// A record is none: its place in the file, its offset and its length.
    Record(u64, i64, i64),
}

impl fmt::Display for FlattenedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the dump cannot be read: {error}"),
            Self::Signature => write!(
                f,
                "the file is not flattened: it does not begin with \"makedumpfile\""
            ),
            Self::Version(file_type, version) => write!(
                f,
                "the file is flattened in type {file_type}, version {version}; type {TYPE}, version \
                 {VERSION} is read"
            ),
            Self::Record(place, offset, len) => write!(
                f,
                "the flattened file has at {place:#x} a record of {len} bytes for offset {offset}, \
                 which cannot be: it was damaged"
            ),
        }
    }
}

impl std::error::Error for FlattenedError {}

/// Bytes of the file, up to an offset, and where in the flattened file they begin.
#[derive(Clone, Copy, Debug)]
struct Piece {
    end: u64,
    place: u64,
}

/// A flattened file, as the file that it was made of.
#[derive(Debug)]
pub struct FlattenedFile<S = DumpFile> {
    source: S,
    /// Pieces by offset, of which no two overlap.
    pieces: BTreeMap<u64, Piece>,
    len: u64,
    is_complete: bool,
}

impl<S: Source> FlattenedFile<S> {
    /// Whether a file begins as a flattened one does.
    pub fn is_flattened(source: &S) -> io::Result<bool> {
        let len = source.len().min(SIGNATURE.len() as u64);
        Ok(source.read_vec(0, len)? == SIGNATURE)
    }

    /// Reads the headers of all records.
    pub fn open(source: S) -> Result<Self, FlattenedError> {
        let len = source.len();
        let header = source.read_vec(0, len.min(HEADER_LEN as u64));
        let header = header.map_err(FlattenedError::Io)?;
        let rest = header.strip_prefix(&SIGNATURE);
        let (file_type, version) = rest.and_then(numbers).ok_or(FlattenedError::Signature)?;
        if (file_type, version) != (TYPE, VERSION) {
            return Err(FlattenedError::Version(file_type, version));
        }
        let mut file = Self {
            source,
            pieces: BTreeMap::new(),
            len: 0,
            is_complete: false,
        };
        let mut place = HEADER_LEN as u64;
        // Each turn goes forward by the length of a header at least.
        while let Some(start) = place
            .checked_add(RECORD_HEADER_LEN as u64)
            .filter(|start| *start <= len)
        {
            let mut bytes = [0; RECORD_HEADER_LEN];
            file.source
                .read_exact_at(&mut bytes, place)
                .map_err(FlattenedError::Io)?;
            let (offset, record_len) = numbers(&bytes).unwrap_or((END, END));
            if offset == END {
                file.is_complete = true;
                break;
            }
            let wrong = FlattenedError::Record(place, offset, record_len);
            let Some(end) = offset.checked_add(record_len) else {
                return Err(wrong);
            };
            if offset < 0 || record_len <= 0 {
                return Err(wrong);
            }
            // Neither is negative.
            let (offset, end) = (offset as u64, end as u64);
            file.insert(offset, end.min(offset.saturating_add(len - start)), start);
            place = start.saturating_add(end - offset);
        }
        Ok(file)
    }

    /// Puts a piece in the place of all that is there.
    fn insert(&mut self, start: u64, end: u64, place: u64) {
        if start >= end {
            return;
        }
        if let Some((before, piece)) = self.pieces.range_mut(..start).next_back() {
            let rest = Piece {
                end: piece.end,
                place: piece.place + (end.saturating_sub(*before)),
            };
            let reaches_over = piece.end > end;
            piece.end = piece.end.min(start);
            if reaches_over {
                self.pieces.insert(end, rest);
            }
        }
        while let Some((at, piece)) = self.pieces.range(start..end).next() {
            let (at, piece) = (*at, *piece);
            self.pieces.remove(&at);
            if piece.end > end {
                let rest = Piece {
                    end: piece.end,
                    place: piece.place + (end - at),
                };
                self.pieces.insert(end, rest);
            }
        }
        self.pieces.insert(start, Piece { end, place });
        self.len = self.len.max(end);
    }

    /// Whether the file has the mark of its end. What was cut off has none.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Writes the file that it was made of.
    pub fn reassemble(&self, target: &impl Target) -> io::Result<()> {
        for (start, piece) in &self.pieces {
            let mut at = *start;
            while at < piece.end {
                let len = PIECE.min(piece.end - at);
                let bytes = self.source.read_vec(piece.place + (at - start), len)?;
                target.write_at(at, &bytes)?;
                at += len;
            }
        }
        target.sync()
    }

    /// The piece that has an offset, or the next one after it.
    fn next(&self, offset: u64) -> Option<(u64, Piece)> {
        let before = self.pieces.range(..=offset).next_back();
        let after = || {
            self.pieces
                .range((Bound::Excluded(offset), Bound::Unbounded))
        };
        let found = before.filter(|(_, piece)| piece.end > offset);
        found
            .or_else(|| after().next())
            .map(|(start, piece)| (*start, *piece))
    }
}

/// Two numbers at the start of some bytes.
fn numbers(bytes: &[u8]) -> Option<(i64, i64)> {
    let first = bytes.first_chunk().copied().map(i64::from_be_bytes)?;
    let second = bytes.get(8..)?.first_chunk().copied();
    Some((first, second.map(i64::from_be_bytes)?))
}

impl<S: Source> Source for FlattenedFile<S> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        if !crate::source::has(self.len, offset, buffer.len() as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !buffer.is_empty() {
            let wanted = buffer.len() as u64;
            let (zeros, piece) = match self.next(offset) {
                Some((start, piece)) => (start.saturating_sub(offset), Some((start, piece))),
                None => (wanted, None),
            };
            let (now, rest) = buffer.split_at_mut(zeros.min(wanted) as usize);
            now.fill(0);
            offset += now.len() as u64;
            buffer = rest;
            let Some((start, piece)) = piece.filter(|_| !buffer.is_empty()) else {
                continue;
            };
            let len = (piece.end - offset).min(buffer.len() as u64);
            let (now, rest) = buffer.split_at_mut(len as usize);
            self.source
                .read_exact_at(now, piece.place + (offset - start))?;
            offset += len;
            buffer = rest;
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        let found = self.next(offset);
        found.map_or(self.len.max(offset), |(start, _)| start.max(offset))
    }
}
