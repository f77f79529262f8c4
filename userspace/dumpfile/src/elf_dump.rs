// SPDX-License-Identifier: GPL-2.0

//! The writer of ELF core files.
//!
//! Where fewer than [`HOLE_FRAMES`] frames of memory are left out, the file has zeros in their place;
//! where it is more, another segment begins. All places are known before the first page is written, so
//! pages are written in any order. Segments for the same memory, as that of the kernel's image is one,
//! share the bytes in the file.

use std::ops::Range;

use kexec_core::types::elf::{
    Architecture,
    HEADER_LEN,
    PN_XNUM,
    PROGRAM_HEADER_LEN, //
};

use crate::{
    elf::{
        Load,
        SECTION_HEADER_LEN, //
    },
    frames::Frames, //
};

mod headers;
pub mod writer;

/// So many frames that are left out end a segment, as makedumpfile's do (`PFN_EXCLUDED`).
pub const HOLE_FRAMES: u64 = 256;

/// What a file says of the dump that it holds.
#[derive(Clone, Debug)]
pub struct Description {
    /// The architecture of the machine.
    pub architecture: Architecture,
    /// The length of a page.
    pub page_len: u64,
    /// All notes.
    pub notes: Vec<u8>,
    /// The pieces of memory with their virtual addresses: [`crate::elf_core::ElfCore::loads`].
    pub loads: Vec<Load>,
}

/// Frames that lie in one piece in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    frames: Range<u64>,
    offset: u64,
}

/// Where things are in a file.
#[derive(Clone, Debug)]
struct Layout {
    page_len: u64,
    /// The number of program headers.
    headers: u64,
    notes_len: u64,
    /// Pieces in ascending order.
    pieces: Vec<Piece>,
}

impl Layout {
    fn new(description: &Description, memory: &Frames, kept: &Frames) -> Self {
        let page_len = description.page_len;
        let mut layout = Self {
            page_len,
            headers: 0,
            notes_len: description.notes.len() as u64,
            pieces: pieces(memory, kept),
        };
        layout.headers = 1 + headers::loads(&layout, &description.loads).count() as u64;
        let mut offset = layout.data();
        for piece in &mut layout.pieces {
            piece.offset = offset;
            offset += (piece.frames.end - piece.frames.start) * page_len;
        }
        layout
    }

    /// The offset of the section header, if one is needed for the number of program headers.
    fn section_header(&self) -> Option<u64> {
        let end = HEADER_LEN as u64 + self.headers * PROGRAM_HEADER_LEN as u64;
        (self.headers >= PN_XNUM.into()).then_some(end)
    }

    /// The offset of the notes.
    fn notes(&self) -> u64 {
        let end = HEADER_LEN as u64 + self.headers * PROGRAM_HEADER_LEN as u64;
        let section = self
            .section_header()
            .map(|at| at + SECTION_HEADER_LEN as u64);
        section.unwrap_or(end)
    }

    /// The offset of the memory.
    fn data(&self) -> u64 {
        (self.notes() + self.notes_len).next_multiple_of(self.page_len)
    }

    /// The length of the file.
    fn len(&self) -> u64 {
        let end =
            |piece: &Piece| piece.offset + (piece.frames.end - piece.frames.start) * self.page_len;
        self.pieces.last().map_or(self.data(), end)
    }

    /// The piece that has a frame.
    fn find(&self, frame: u64) -> Option<&Piece> {
        let next = self
            .pieces
            .partition_point(|piece| piece.frames.end <= frame);
        let piece = self.pieces.get(next);
        piece.filter(|piece| piece.frames.start <= frame)
    }
}

/// Kept frames, with the short holes between them that are memory.
fn pieces(memory: &Frames, kept: &Frames) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut memory = memory.runs().iter().peekable();
    for run in kept.runs() {
        while memory.next_if(|memory| memory.end <= run.start).is_some() {}
        let begins = memory.peek().map_or(0, |memory| memory.start);
        match pieces.last_mut() {
            Some(last) if last.frames.end > begins && run.start - last.frames.end < HOLE_FRAMES => {
                last.frames.end = run.end;
            }
            _ => pieces.push(Piece {
                frames: run.clone(),
                offset: 0,
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_if_they_are_short_and_memory() {
        let memory: Frames = [0..1000, 1010..2000].into_iter().collect();
        let kept: Frames = [0..10, 265..300, 556..990, 1012..1020]
            .into_iter()
            .collect();
        let frames: Vec<_> = pieces(&memory, &kept)
            .into_iter()
            .map(|piece| piece.frames)
            .collect();
        assert_eq!(frames, [0..300, 556..990, 1012..1020]);
    }
}
