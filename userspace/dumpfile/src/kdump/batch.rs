// SPDX-License-Identifier: GPL-2.0

//! What a worker has not written yet: pages, and the descriptors that will point to them.

use std::io;

use kexec_core::dump::kdump_compressed::layout::{
    PageDescriptor,
    PAGE_DESCRIPTOR_LEN, //
};

use crate::{
    codec::{
        room,
        Compressor, //
    },
    page,
    target::Target, //
};

/// From this length on the pages are written.
const DATA_LEN: usize = 64 << 10;

/// From this number on the descriptors are written. Only where most pages are equal to others is it
/// reached before the pages' length is.
const DESCRIPTORS: usize = 2 << 10;

/// Marks the offset in a descriptor as one in the buffer. No file is as long.
const IN_BUFFER: u64 = 1 << 63;

/// Pages and descriptors.
pub struct Batch {
    data: Vec<u8>,
    /// How much of the buffer is filled.
    len: usize,
    descriptors: Vec<u8>,
    /// The place of the first descriptor of a row, and where in the buffer the row begins.
    rows: Vec<(u64, usize)>,
    /// The place after the last descriptor.
    next: Option<u64>,
}

impl Batch {
    /// An empty one for pages of this length.
    pub fn new(page_len: usize) -> Self {
        Self {
            data: vec![0; DATA_LEN + room(page_len)],
            len: 0,
            descriptors: Vec::with_capacity(DESCRIPTORS * PAGE_DESCRIPTOR_LEN),
            rows: Vec::new(),
            next: None,
        }
    }

    /// Whether it has to be written before the next page.
    pub fn is_full(&self) -> bool {
        self.len >= DATA_LEN || self.descriptors.len() >= DESCRIPTORS * PAGE_DESCRIPTOR_LEN
    }

    /// Takes a page, compressed if that makes it shorter, and returns its descriptor.
    pub fn add(
        &mut self,
        page: &[u8],
        compressor: &mut dyn Compressor,
        flags: u32,
    ) -> PageDescriptor {
        let room = &mut self.data[self.len..];
        let packed = match page::is_noise(page) {
            true => None,
            false => compressor.compress(page, room),
        };
        let (len, flags) = match packed {
            Some(len) => (len, flags),
            None => {
                room[..page.len()].copy_from_slice(page);
                (page.len(), 0)
            }
        };
        let descriptor = PageDescriptor {
            offset: IN_BUFFER | self.len as u64,
            // It is no longer than a page.
            len: len as u32,
            flags,
        };
        self.len += len;
        descriptor
    }

    /// Takes the descriptor that belongs at a place.
    pub fn describe(&mut self, index: u64, descriptor: &PageDescriptor) {
        if self.next != Some(index) {
            self.rows.push((index, self.descriptors.len()));
        }
        self.descriptors.extend(descriptor.encode());
        self.next = Some(index + 1);
    }

    /// The length of the pages.
    pub fn len(&self) -> u64 {
        self.len as u64
    }

    /// Writes the pages to an offset, and then the descriptors, of which the place 0 is at another.
    ///
    /// The order is what makes each descriptor in a file one of a page that is there.
    pub fn write(&mut self, target: &impl Target, offset: u64, descriptors: u64) -> io::Result<()> {
        if self.len > 0 {
            target.write_at(offset, &self.data[..self.len])?;
        }
        for bytes in self.descriptors.chunks_exact_mut(PAGE_DESCRIPTOR_LEN) {
            if let Some(mut descriptor) = PageDescriptor::decode(bytes) {
                settle(&mut descriptor, offset);
                bytes.copy_from_slice(&descriptor.encode());
            }
        }
        for (row, (index, start)) in self.rows.iter().enumerate() {
            let end = self.rows.get(row + 1).map(|(_, start)| *start);
            let end = end.unwrap_or(self.descriptors.len());
            let offset = descriptors + index * PAGE_DESCRIPTOR_LEN as u64;
            target.write_at(offset, &self.descriptors[*start..end])?;
        }
        self.len = 0;
        self.descriptors.clear();
        self.rows.clear();
        self.next = None;
        Ok(())
    }
}

/// Makes an offset in the buffer one in the file, where the buffer was written to this offset.
pub fn settle(descriptor: &mut PageDescriptor, offset: u64) {
    if descriptor.offset & IN_BUFFER != 0 {
        descriptor.offset = offset + (descriptor.offset & !IN_BUFFER);
    }
}
