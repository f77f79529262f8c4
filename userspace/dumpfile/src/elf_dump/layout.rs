// SPDX-License-Identifier: GPL-2.0

//! Where things are in a file that is written.

use std::ops::Range;

use kexec_core::types::elf::{
    Architecture,
    ProgramHeader,
    HEADER_LEN,
    PF_RWX,
    PN_XNUM,
    PROGRAM_HEADER_LEN,
    PT_LOAD, //
};

use crate::{
    elf::{
        Load,
        SECTION_HEADER_LEN, //
    },
    frames::Frames, //
};

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
pub struct Piece {
    pub frames: Range<u64>,
    pub offset: u64,
}

/// Where things are in a file.
#[derive(Clone, Debug)]
pub struct Layout {
    pub page_len: u64,
    /// The number of program headers.
    pub headers: u64,
    pub notes_len: u64,
    /// Pieces in ascending order.
    pieces: Vec<Piece>,
}

impl Layout {
    pub fn new(description: &Description, memory: &Frames, kept: &Frames) -> Self {
        let page_len = description.page_len;
        let mut layout = Self {
            page_len,
            headers: 0,
            notes_len: description.notes.len() as u64,
            pieces: pieces(memory, kept),
        };
        layout.headers = 1 + loads(&layout, &description.loads).count() as u64;
        let mut offset = layout.data();
        for piece in &mut layout.pieces {
            piece.offset = offset;
            offset += (piece.frames.end - piece.frames.start) * page_len;
        }
        layout
    }

    /// The offset of the section header, if one is needed for the number of program headers.
    pub fn section_header(&self) -> Option<u64> {
        let end = HEADER_LEN as u64 + self.headers * PROGRAM_HEADER_LEN as u64;
        (self.headers >= PN_XNUM.into()).then_some(end)
    }

    /// The offset of the notes.
    pub fn notes(&self) -> u64 {
        let end = HEADER_LEN as u64 + self.headers * PROGRAM_HEADER_LEN as u64;
        let section = self
            .section_header()
            .map(|at| at + SECTION_HEADER_LEN as u64);
        section.unwrap_or(end)
    }

    /// The offset of the memory.
    pub fn data(&self) -> u64 {
        (self.notes() + self.notes_len).next_multiple_of(self.page_len)
    }

    /// The length of the file.
    pub fn len(&self) -> u64 {
        let end =
            |piece: &Piece| piece.offset + (piece.frames.end - piece.frames.start) * self.page_len;
        self.pieces.last().map_or(self.data(), end)
    }

    /// The piece that has a frame.
    pub fn find(&self, frame: u64) -> Option<&Piece> {
        let next = self
            .pieces
            .partition_point(|piece| piece.frames.end <= frame);
        let piece = self.pieces.get(next);
        piece.filter(|piece| piece.frames.start <= frame)
    }
}

/// The headers of the pieces of memory.
pub fn loads<'a>(
    layout: &'a Layout,
    loads: &'a [Load],
) -> impl Iterator<Item = ProgramHeader> + 'a {
    let page_len = layout.page_len;
    loads.iter().flat_map(move |load| {
        let first = layout
            .pieces
            .partition_point(|piece| piece.frames.end * page_len <= load.addresses.start);
        let pieces = layout.pieces[first..].iter();
        let pieces =
            pieces.take_while(move |piece| piece.frames.start * page_len < load.addresses.end);
        pieces.map(move |piece| {
            let piece_start = piece.frames.start * page_len;
            let start = load.addresses.start.max(piece_start);
            let end = load.addresses.end.min(piece.frames.end * page_len);
            ProgramHeader {
                segment_type: PT_LOAD,
                flags: PF_RWX,
                offset: piece.offset + (start - piece_start),
                virtual_address: load
                    .virtual_address
                    .wrapping_add(start - load.addresses.start),
                physical_address: start,
                file_len: end - start,
                memory_len: end - start,
                alignment: 0,
            }
        })
    })
}

/// Kept frames, with the short holes between them that are memory.
fn pieces(memory: &Frames, kept: &Frames) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut memory = memory.runs().peekable();
    for run in kept.runs() {
        while memory.next_if(|memory| memory.end <= run.start).is_some() {}
        let begins = memory.peek().map_or(0, |memory| memory.start);
        match pieces.last_mut() {
            Some(last) if last.frames.end > begins && run.start - last.frames.end < HOLE_FRAMES => {
                last.frames.end = run.end;
            }
            _ => pieces.push(Piece {
                frames: run,
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
