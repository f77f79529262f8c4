// SPDX-License-Identifier: GPL-2.0

//! The reader of a kdump-compressed file.

use std::{
    io,
    ops::{
        Deref,
        Range, //
    },
    sync::Mutex, //
};

use kexec_core::dump::{
    elfcorehdr::NOTES_TOTAL_MAX,
    kdump_compressed::{
        layout::{
            DiskDumpHeader,
            KdumpSubHeader,
            PageDescriptor,
            COMPRESSED_INCOMPLETE,
            DISK_DUMP_HEADER_LEN,
            KDUMP_SUB_HEADER_LEN,
            PAGE_DESCRIPTOR_LEN,
            VERSION, //
        },
        Header, //
    }, //
};

use super::{
    error::KdumpError,
    ranks::{
        frames,
        Ranks, //
    },
    Geometry, //
};
use crate::{
    codec::{
        Codec,
        Decompressor, //
    },
    frames::Frames,
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

/// A kdump-compressed file.
#[derive(Debug)]
pub struct KdumpFile<S = DumpFile> {
    source: S,
    header: DiskDumpHeader,
    sub_header: KdumpSubHeader,
    geometry: Geometry,
    notes: Vec<u8>,
    kept: Ranks,
    /// How many kept frames are below the first of this file's part.
    first: u64,
    /// What threads have unpacked pages with, and is free.
    decompressors: Mutex<Vec<Decompressor>>,
}

impl<S: Source> KdumpFile<S> {
    /// Reads the headers and the notes, and counts the frames.
    pub fn open(source: S) -> Result<Self, KdumpError> {
        let header = read_header(&source)?;
        let block_len = u64::from(header.block_len);
        let short = |what, end| KdumpError::Short {
            what,
            end,
            len: source.len(),
        };
        let mut bytes = [0; KDUMP_SUB_HEADER_LEN];
        let end = block_len + KDUMP_SUB_HEADER_LEN as u64;
        if source.len() < end {
            return Err(short("the sub-header", end));
        }
        source
            .read_exact_at(&mut bytes, block_len)
            .map_err(KdumpError::Io)?;
        let sub_header = KdumpSubHeader::decode(&bytes).ok_or(short("the sub-header", end))?;
        let [offset, len] = sub_header.notes;
        if len > NOTES_TOTAL_MAX {
            return Err(KdumpError::NotesLen(len));
        }
        if !has(source.len(), offset, len) {
            return Err(short("the notes", offset.saturating_add(len)));
        }
        let notes = source.read_vec(offset, len).map_err(KdumpError::Io)?;

        let mut geometry = Geometry {
            page_len: block_len,
            sub_header_blocks: header.sub_header_blocks.into(),
            bitmap_blocks: u64::from(header.bitmap_blocks) / 2,
            descriptors: 0,
        };
        let bitmap_len = geometry.bitmap_blocks * block_len;
        if sub_header.frames_end > bitmap_len * 8 {
            return Err(KdumpError::Frames {
                end: sub_header.frames_end,
                bits: bitmap_len * 8,
            });
        }
        if source.len() < geometry.descriptors() {
            return Err(short("the bitmaps", geometry.descriptors()));
        }
        let kept =
            Ranks::new(&source, geometry.kept_bitmap(), bitmap_len).map_err(KdumpError::Io)?;
        let mut file = Self {
            header,
            sub_header,
            notes,
            kept,
            first: 0,
            decompressors: Mutex::default(),
            geometry,
            source,
        };
        let part = file.part();
        let below = |frame| file.kept.find(&file.source, frame).map_err(KdumpError::Io);
        let (first, _) = below(part.start)?;
        geometry.descriptors = match part.end.checked_sub(1).map(below).transpose()? {
            Some((count, is_kept)) => (count + u64::from(is_kept)).saturating_sub(first),
            None => 0,
        };
        file.first = first;
        file.geometry = geometry;
        Ok(file)
    }

    /// What it is read from.
    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// Where things are.
    pub(super) fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// What the header says.
    pub fn header(&self) -> &DiskDumpHeader {
        &self.header
    }

    /// What the sub-header says.
    pub fn sub_header(&self) -> &KdumpSubHeader {
        &self.sub_header
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

    /// The length of a page.
    pub fn page_len(&self) -> u64 {
        self.geometry.page_len
    }

    /// Whether the program that wrote the file did not come to its end.
    pub fn is_incomplete(&self) -> bool {
        self.header.status & COMPRESSED_INCOMPLETE != 0
    }

    /// The frames that are in this file, if it is one of several, or all.
    pub fn part(&self) -> Range<u64> {
        let end = self.sub_header.frames_end;
        match self.sub_header.split {
            0 => 0..end,
            _ => {
                let end = self.sub_header.part_end.min(end);
                self.sub_header.part_start.min(end)..end
            }
        }
    }

    /// The frames that the machine has.
    pub fn memory(&self) -> io::Result<Frames> {
        self.bitmap(self.geometry.memory_bitmap())
    }

    /// The frames that the dump has, in all parts together.
    pub fn kept(&self) -> io::Result<Frames> {
        self.bitmap(self.geometry.kept_bitmap())
    }

    fn bitmap(&self, offset: u64) -> io::Result<Frames> {
        let len = self.geometry.bitmap_blocks * self.geometry.page_len;
        frames(&self.source, offset, len, self.sub_header.frames_end)
    }

    /// The descriptor of a frame; `None` where the file does not have the frame.
    pub fn descriptor(&self, frame: u64) -> io::Result<Option<PageDescriptor>> {
        if !self.part().contains(&frame) {
            return Ok(None);
        }
        let (below, is_kept) = self.kept.find(&self.source, frame)?;
        let place = below.checked_sub(self.first).filter(|_| is_kept);
        let Some(place) = place.filter(|place| *place < self.geometry.descriptors) else {
            return Ok(None);
        };
        let offset = self.geometry.descriptors() + place * PAGE_DESCRIPTOR_LEN as u64;
        if !has(self.source.len(), offset, PAGE_DESCRIPTOR_LEN as u64) {
            return Ok(None);
        }
        let mut bytes = [0; PAGE_DESCRIPTOR_LEN];
        self.source.read_exact_at(&mut bytes, offset)?;
        let descriptor = PageDescriptor::decode(&bytes);
        // Without an offset the page did not get into the file. Without a length the descriptor did so
        // only in part.
        Ok(descriptor.filter(|descriptor| descriptor.offset != 0 && descriptor.len != 0))
    }

    /// Reads a page, which `page` is as long as.
    pub fn page(
        &self,
        frame: u64,
        page: &mut [u8],
        decompressor: &mut Decompressor,
    ) -> Result<(), MemoryError> {
        let address = frame.saturating_mul(self.geometry.page_len);
        let failed = |error| MemoryError::Io(address, error);
        let found = self.descriptor(frame).map_err(failed)?;
        let PageDescriptor { offset, len, flags } = found.ok_or(MemoryError::Missing(address))?;
        let damaged = MemoryError::Damaged(address);
        let Some(codec) = Codec::from_flags(flags) else {
            return Err(damaged);
        };
        if u64::from(len) > self.geometry.page_len || page.len() as u64 != self.geometry.page_len {
            return Err(damaged);
        }
        if !has(self.source.len(), offset, len.into()) {
            // The file was cut off, or its end was never written.
            return Err(match self.is_incomplete() {
                true => MemoryError::Missing(address),
                false => damaged,
            });
        }
        if codec == Codec::Raw && len as usize == page.len() {
            return self.source.read_exact_at(page, offset).map_err(failed);
        }
        let bytes = self.source.read_vec(offset, len.into()).map_err(failed)?;
        match decompressor.decompress(codec, &bytes, page) {
            true => Ok(()),
            false => Err(damaged),
        }
    }
}

fn read_header(source: &impl Source) -> Result<DiskDumpHeader, KdumpError> {
    let len = source.len().min(DISK_DUMP_HEADER_LEN as u64);
    let bytes = source.read_vec(0, len).map_err(KdumpError::Io)?;
    match Header::parse(&bytes) {
        Ok(Some(_)) => {}
        Ok(None) => return Err(KdumpError::Signature),
        Err(error) => return Err(KdumpError::Header(error)),
    }
    let header = DiskDumpHeader::decode(&bytes).ok_or(KdumpError::Short {
        what: "the header",
        end: DISK_DUMP_HEADER_LEN as u64,
        len,
    })?;
    match header.version < VERSION {
        true => Err(KdumpError::Version(header.version)),
        false => Ok(header),
    }
}

/// A copy of a page, or of its end.
#[derive(Debug)]
pub struct Window {
    page: Vec<u8>,
    start: usize,
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.page[self.start..]
    }
}

impl<S: Source> PhysicalMemory for KdumpFile<S> {
    type Window<'a>
        = Window
    where
        Self: 'a;

    fn window(&self, address: u64, len: usize) -> Result<Window, MemoryError> {
        let page_len = self.geometry.page_len;
        let mut page = vec![0; page_len as usize];
        // A thread that panicked has left nothing half done: it took what it used out of the list.
        let lock = || {
            self.decompressors
                .lock()
                .unwrap_or_else(|error| error.into_inner())
        };
        let mut decompressor = lock().pop().unwrap_or_default();
        let read = self.page(address / page_len, &mut page, &mut decompressor);
        lock().push(decompressor);
        read.map_err(|error| match error {
            MemoryError::Missing(_) => MemoryError::Missing(address),
            error => error,
        })?;
        let start = (address % page_len) as usize;
        page.truncate(start.saturating_add(len));
        Ok(Window { page, start })
    }
}
