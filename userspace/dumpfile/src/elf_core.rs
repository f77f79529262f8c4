// SPDX-License-Identifier: GPL-2.0

//! ELF core files of a kernel: /proc/vmcore, and what was copied from it.

use std::{
    io,
    ops::{
        Deref,
        Range, //
    }, //
};

use kexec_core::{
    dump::elfcorehdr::NOTES_TOTAL_MAX,
    types::elf::{
        Architecture,
        ProgramHeader,
        PT_LOAD,
        PT_NOTE, //
    }, //
};

use crate::{
    elf::Load,
    frames::Frames,
    mapping::Mapping,
    memory::{
        MemoryError,
        PhysicalMemory, //
    },
    notes,
    source::{
        has,
        DumpFile,
        Source, //
    }, //
};

mod error;
mod extents;
mod headers;

pub use error::ElfCoreError;
use extents::Extents;

/// From this length on a view is mapped. A shorter one costs less to copy than to map.
const MAPPED_LEN_MIN: usize = 64 << 10;

/// An ELF core file.
#[derive(Debug)]
pub struct ElfCore<S = DumpFile> {
    source: S,
    architecture: Architecture,
    is_incomplete: bool,
    notes: Vec<u8>,
    loads: Vec<Load>,
    extents: Extents,
    lost: u64,
}

impl<S: Source> ElfCore<S> {
    /// Reads the headers and the notes.
    pub fn open(source: S) -> Result<Self, ElfCoreError> {
        let header = headers::read(&source)?;
        let notes = read_notes(&source, &header.segments)?;
        let loads: Vec<_> = header
            .segments
            .into_iter()
            .filter(|segment| segment.segment_type == PT_LOAD)
            .collect();
        let (extents, lost) = Extents::new(&loads, source.len())?;
        let loads = loads.iter().map(|load| Load {
            // The extents are without overflow.
            addresses: load.physical_address..load.physical_address + load.file_len,
            virtual_address: load.virtual_address,
        });
        Ok(Self {
            source,
            architecture: header.architecture,
            is_incomplete: header.is_incomplete,
            notes,
            loads: loads.collect(),
            extents,
            lost,
        })
    }

    /// The architecture of the machine that was dumped.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Whether the program that wrote the file says in it that it did not come to the end.
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// The bytes of memory that the headers promise and the file does not have, because it was cut off.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// All notes, as the file has them.
    pub fn notes(&self) -> &[u8] {
        &self.notes
    }

    /// The text of VMCOREINFO: lines of `KEY=value`.
    pub fn vmcoreinfo(&self) -> Option<&[u8]> {
        notes::vmcoreinfo(&self.notes)
    }

    /// The contents of the notes with the CPUs' registers: `struct elf_prstatus`.
    pub fn prstatus(&self) -> impl Iterator<Item = &[u8]> {
        notes::prstatus(&self.notes)
    }

    /// The frames of which the file has something. Memory may begin or end within a frame, which is in
    /// the set then; [`PhysicalMemory::read_frame`] fills the rest with zeros.
    ///
    /// # Panics
    ///
    /// `page_len` is 0.
    pub fn frames(&self, page_len: u64) -> Frames {
        let runs = self.extents.ranges();
        runs.map(|range| range.start / page_len..range.end.div_ceil(page_len))
            .collect()
    }

    /// The pieces of memory as the headers name them, in their order, which may overlap.
    pub fn loads(&self) -> &[Load] {
        &self.loads
    }

    /// The physical addresses that the file has, in ascending order.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.extents.ranges()
    }
}

/// The notes of all segments with notes, one after another.
fn read_notes(source: &impl Source, segments: &[ProgramHeader]) -> Result<Vec<u8>, ElfCoreError> {
    let mut notes = Vec::new();
    for segment in segments {
        if segment.segment_type != PT_NOTE {
            continue;
        }
        let (offset, len) = (segment.offset, segment.file_len);
        if !has(source.len(), offset, len) {
            return Err(ElfCoreError::NotesPastEnd { offset, len });
        }
        if len > NOTES_TOTAL_MAX.saturating_sub(notes.len() as u64) {
            return Err(ElfCoreError::NotesLen(len));
        }
        notes.extend(source.read_vec(offset, len).map_err(ElfCoreError::Io)?);
    }
    Ok(notes)
}

/// A view of an ELF core's memory.
#[derive(Debug)]
pub enum Window {
    /// A part of the file.
    Mapped(Mapping),
    /// A copy.
    Copied(Vec<u8>),
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(mapping) => mapping,
            Self::Copied(bytes) => bytes,
        }
    }
}

impl<S: Source> PhysicalMemory for ElfCore<S> {
    type Window<'a>
        = Window
    where
        Self: 'a;

    fn window(&self, address: u64, len: usize) -> Result<Window, MemoryError> {
        let place = self.extents.find(address);
        let (offset, available) = place.ok_or(MemoryError::Missing(address))?;
        let len = available.min(len as u64) as usize;
        if len >= MAPPED_LEN_MIN {
            if let Some(mapping) = self.source.map(offset, len) {
                return Ok(Window::Mapped(mapping));
            }
        }
        let mut copy = vec![0; len];
        self.source
            .read_exact_at(&mut copy, offset)
            .map_err(|error| MemoryError::Io(address, error))?;
        Ok(Window::Copied(copy))
    }

    fn read(&self, mut address: u64, mut buffer: &mut [u8]) -> Result<(), MemoryError> {
        while !buffer.is_empty() {
            let place = self.extents.find(address);
            let (offset, available) = place.ok_or(MemoryError::Missing(address))?;
            let len = available.min(buffer.len() as u64) as usize;
            let (now, later) = buffer.split_at_mut(len);
            self.source
                .read_exact_at(now, offset)
                .map_err(|error: io::Error| MemoryError::Io(address, error))?;
            buffer = later;
            address = address.saturating_add(len as u64);
        }
        Ok(())
    }
}
