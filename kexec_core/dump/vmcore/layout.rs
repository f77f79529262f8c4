// SPDX-License-Identifier: GPL-2.0

//! The layout of the dump file, and the source of each of its parts.

use core::fmt;

use super::excluded::{
    Excluded,
    Run, //
};
use crate::{
    dump::elfcorehdr::{
        encoded_len,
        Elfcorehdr, //
    },
    types::{
        bytes::{
            align_up,
            to_u64,
            to_usize,
            write, //
        },
        elf::{
            Header,
            ProgramHeader,
            HEADER_LEN,
            PF_RWX,
            PROGRAM_HEADER_LEN,
            PT_LOAD,
            PT_NOTE, //
        },
        errno::Errno,
        ranges::Range, //
    }, //
};

/// Why a dump cannot be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmcoreError {
    /// The dump would be longer than a file can be.
    TooLong,
    /// The buffer is not as long as the headers.
    Buffer {
        /// Length of the headers.
        needed: usize,
        /// Length of the buffer.
        len: usize,
    },
}

impl VmcoreError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::TooLong => Errno::Inval,
            Self::Buffer { .. } => Errno::NoMem,
        }
    }
}

impl fmt::Display for VmcoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(
                f,
                "the dump would be longer than a file can be: the elfcorehdr is wrong"
            ),
            Self::Buffer { needed, len } => write!(
                f,
                "the dump's headers need {needed:#x} bytes, but there is room for {len:#x}"
            ),
        }
    }
}

/// The source of a part of the dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the headers that [`Layout::encode_header`] wrote, at this offset.
    Header(usize),
    /// From the merged notes, at this offset. Zeros follow the notes, up to
    /// [`Layout::notes_area_len`].
    Notes(usize),
    /// From memory, at this physical address.
    Memory(u64),
}

/// A part of the dump with one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The source of the first byte.
    pub source: Source,
    /// The length of the piece in bytes.
    pub len: u64,
}

/// The kind of contents that a reader seeks in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Something other than a hole.
    Data,
    /// A hole; the end of the file is one.
    Hole,
}

/// The layout of a dump file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    page_len: u64,
    header_len: u64,
    notes_len: u64,
    notes_area_len: u64,
    loads: usize,
    size: u64,
}

/// The pages that a piece of memory is in.
fn pages_of(memory: Range, page_len: u64) -> Result<Range, VmcoreError> {
    memory.align_outward(page_len).ok_or(VmcoreError::TooLong)
}

impl Layout {
    /// Lays out the dump of the memory that `core` names, with `notes_len` bytes of notes.
    /// `page_len` is the page size of the kernel that serves the file; parts of the file start at
    /// pages, so that they can be mapped.
    pub fn new(
        core: &Elfcorehdr<'_>,
        notes_len: usize,
        page_len: u64,
    ) -> Result<Self, VmcoreError> {
        let loads = core.loads_count();
        let round = |len| align_up(to_u64(len), page_len).ok_or(VmcoreError::TooLong);
        let header_len = round(encoded_len(1, loads))?;
        let notes_area_len = round(notes_len)?;

        let mut size = header_len
            .checked_add(notes_area_len)
            .ok_or(VmcoreError::TooLong)?;
        for load in core.loads() {
            size = size
                .checked_add(pages_of(load.memory, page_len)?.len())
                .ok_or(VmcoreError::TooLong)?;
        }
        // File offsets are signed.
        if i64::try_from(size).is_err() {
            return Err(VmcoreError::TooLong);
        }
        Ok(Self {
            page_len,
            header_len,
            notes_len: to_u64(notes_len),
            notes_area_len,
            loads,
            size,
        })
    }

    /// Length of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Length of the headers, in whole pages.
    pub fn header_len(&self) -> usize {
        to_usize(self.header_len)
    }

    /// Length of the notes with the zeros after them, in whole pages.
    pub fn notes_area_len(&self) -> usize {
        to_usize(self.notes_area_len)
    }

    /// Offset of the first piece of memory in the file.
    fn memory_offset(&self) -> u64 {
        // Both are parts of `size`, so the sum is not greater.
        self.header_len.wrapping_add(self.notes_area_len)
    }

    /// Writes the headers to the start of `out`, with zeros up to [`Self::header_len`], which it
    /// returns. `core` has to be the one that the layout was made for.
    pub fn encode_header(
        &self,
        core: &Elfcorehdr<'_>,
        out: &mut [u8],
    ) -> Result<usize, VmcoreError> {
        let len = out.len();
        let header_len = self.header_len();
        let out = out.get_mut(..header_len).ok_or(VmcoreError::Buffer {
            needed: header_len,
            len,
        })?;
        let count =
            u16::try_from(self.loads.saturating_add(1)).map_err(|_| VmcoreError::TooLong)?;

        out.fill(0);
        write(
            out,
            0,
            &Header::core(core.architecture().e_machine(), count).encode(),
        );
        let note = ProgramHeader {
            segment_type: PT_NOTE,
            offset: self.header_len,
            file_len: self.notes_len,
            memory_len: self.notes_len,
            alignment: 4,
            ..ProgramHeader::default()
        };
        write(out, HEADER_LEN, &note.encode());

        let places = out
            .get_mut(encoded_len(1, 0)..)
            .unwrap_or_default()
            .chunks_exact_mut(PROGRAM_HEADER_LEN);
        let mut offset = self.memory_offset();
        for (place, load) in places.zip(core.loads().take(self.loads)) {
            let pages = pages_of(load.memory, self.page_len)?;
            let within_page = load.memory.start().wrapping_sub(pages.start());
            let header = ProgramHeader {
                segment_type: PT_LOAD,
                flags: PF_RWX,
                offset: offset
                    .checked_add(within_page)
                    .ok_or(VmcoreError::TooLong)?,
                virtual_address: load.virtual_address,
                physical_address: load.memory.start(),
                file_len: load.memory.len(),
                memory_len: load.memory.len(),
                alignment: 0,
            };
            write(place, 0, &header.encode());
            offset = offset
                .checked_add(pages.len())
                .ok_or(VmcoreError::TooLong)?;
        }
        Ok(header_len)
    }

    /// The piece at `offset` of the file, up to the next source. None from the file's end on.
    /// `header` is the result of [`Self::encode_header`].
    pub fn locate(&self, header: &[u8], offset: u64) -> Option<Piece> {
        let Some(in_file) = offset.checked_sub(self.header_len) else {
            return Some(Piece {
                source: Source::Header(to_usize(offset)),
                len: self.header_len.checked_sub(offset)?,
            });
        };
        let Some(_) = in_file.checked_sub(self.notes_area_len) else {
            return Some(Piece {
                source: Source::Notes(to_usize(in_file)),
                len: self.notes_area_len.checked_sub(in_file)?,
            });
        };

        let index = self.last_load_from(header, offset)?;
        let load = self.load(header, index)?;
        let memory = Range::from_start_len(load.physical_address, load.memory_len)?;
        let pages = memory.align_outward(self.page_len)?;
        let within = offset.checked_sub(self.page_start(load.offset))?;
        let len = pages.len().checked_sub(within).filter(|len| *len > 0)?;
        Some(Piece {
            source: Source::Memory(pages.start().checked_add(within)?),
            len,
        })
    }

    /// The first offset from `offset` on with the wanted contents. None from the file's end on, and
    /// none if data is wanted and only a hole follows.
    pub fn seek(
        &self,
        header: &[u8],
        excluded: &Excluded,
        offset: u64,
        wanted: Wanted,
    ) -> Option<u64> {
        if offset >= self.size {
            return None;
        }
        let mut offset = offset;
        while let Some(piece) = self.locate(header, offset) {
            let (found, len) = match piece.source {
                Source::Memory(address) => {
                    let memory = Range::from_start_len(address, piece.len)?;
                    match excluded.first_run(memory) {
                        Run::Memory(run) => (Wanted::Data, run.len()),
                        Run::Zeros(run) => (Wanted::Hole, run.len()),
                    }
                }
                Source::Header(_) | Source::Notes(_) => (Wanted::Data, piece.len),
            };
            if found == wanted {
                return Some(offset);
            }
            offset = offset.checked_add(len).filter(|next| *next > offset)?;
        }
        (wanted == Wanted::Hole).then_some(self.size)
    }

    /// The program header of a piece of memory.
    fn load(&self, header: &[u8], index: usize) -> Option<ProgramHeader> {
        if index >= self.loads {
            return None;
        }
        ProgramHeader::decode(header.get(encoded_len(1, index)..)?)
    }

    /// The offset of the page that has this offset.
    fn page_start(&self, offset: u64) -> u64 {
        offset & !self.page_len.wrapping_sub(1)
    }

    /// Index of the last piece of memory whose first page is at or before `offset`.
    fn last_load_from(&self, header: &[u8], offset: u64) -> Option<usize> {
        // Offsets grow from one piece to the next, so a binary search finds the first piece that
        // starts after `offset`.
        let (mut from, mut to) = (0, self.loads);
        while from < to {
            let middle = from.saturating_add(to) / 2;
            if self.page_start(self.load(header, middle)?.offset) <= offset {
                from = middle.saturating_add(1);
            } else {
                to = middle;
            }
        }
        from.checked_sub(1)
    }
}
