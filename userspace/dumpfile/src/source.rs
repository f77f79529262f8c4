// SPDX-License-Identifier: GPL-2.0

//! What a dump is read from: a file, which may be mapped, or bytes in memory.

use std::{
    fs::File,
    io::{
        self,
        Seek,
        SeekFrom, //
    },
    os::unix::fs::FileExt,
    path::Path,
    sync::atomic::{
        AtomicBool,
        Ordering, //
    }, //
};

use nix::{
    errno::Errno,
    unistd::{
        lseek,
        Whence, //
    }, //
};

use crate::mapping::Mapping;

/// Bytes that are read at any place, by several threads at once.
pub trait Source: Sync {
    /// The number of bytes.
    fn len(&self) -> u64;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills a buffer with what is at `offset`; an error where there are not as many bytes.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// The first offset from this one on that may have something else than zeros. What has been left out
    /// of a file can be longer than there is time to look at.
    fn next_data(&self, offset: u64) -> u64 {
        offset
    }

    /// Maps what is at `offset`. `None` where that is not possible, and reading is.
    fn map(&self, _offset: u64, _len: usize) -> Option<Mapping> {
        None
    }

    /// Reads `len` bytes at `offset` into a buffer of their own. Nothing is allocated for bytes that
    /// are not there.
    fn read_vec(&self, offset: u64, len: u64) -> io::Result<Vec<u8>> {
        if !has(self.len(), offset, len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; len as usize];
        self.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

/// Whether a file of `file_len` bytes has `len` of them from `offset` on.
pub(crate) fn has(file_len: u64, offset: u64, len: u64) -> bool {
    offset.checked_add(len).is_some_and(|end| end <= file_len)
}

/// Reads `len` bytes at `offset`, which the source has, a piece of `piece_len` after another. Each comes with its
/// place from `offset` on, which is a multiple of a piece's length.
///
/// Pieces of zeros may be left out: a file can say that it has far more than all that is in it.
pub(crate) fn for_each_data_piece(
    source: &impl Source,
    offset: u64,
    len: u64,
    piece_len: u64,
    mut each: impl FnMut(u64, &[u8]),
) -> io::Result<()> {
    let mut start = 0;
    while start < len {
        let data = source.next_data(offset + start).saturating_sub(offset);
        start = (data / piece_len * piece_len).max(start);
        if start >= len {
            break;
        }
        let piece = source.read_vec(offset + start, piece_len.min(len - start))?;
        each(start, &piece);
        start += piece_len;
    }
    Ok(())
}

/// A file, or /proc/vmcore, or a block device.
#[derive(Debug)]
pub struct DumpFile {
    file: File,
    len: u64,
    /// Whether parts of it have been mapped, or may be.
    maps: AtomicBool,
}

impl DumpFile {
    /// Opens the file at a path.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::new(File::open(path)?)
    }

    /// Takes a file that was opened for reading.
    pub fn new(mut file: File) -> io::Result<Self> {
        // Unlike st_size, this is the length of a block device as well.
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self {
            file,
            len,
            maps: AtomicBool::new(true),
        })
    }

    /// Reads the file by calls, and maps no part of it.
    pub fn without_mapping(self) -> Self {
        self.maps.store(false, Ordering::Relaxed);
        self
    }
}

impl Source for DumpFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        let signed = i64::try_from(offset).unwrap_or(i64::MAX);
        match lseek(&self.file, signed, Whence::SeekData) {
            Ok(data) => u64::try_from(data).unwrap_or(offset).max(offset),
            // There is nothing up to the end.
            Err(Errno::ENXIO) => self.len.max(offset),
            Err(_) => offset,
        }
    }

    fn map(&self, offset: u64, len: usize) -> Option<Mapping> {
        if !self.maps.load(Ordering::Relaxed) {
            return None;
        }
        // The file may have been cut off since it was opened, and a page past its end is not to be
        // touched. Files that are not regular do not become shorter.
        let metadata = self.file.metadata().ok()?;
        let now = match metadata.is_file() {
            true => metadata.len(),
            false => self.len,
        };
        if !has(self.len.min(now), offset, len as u64) {
            return None;
        }
        let mapping = Mapping::new(&self.file, offset, len);
        if mapping.is_err() {
            self.maps.store(false, Ordering::Relaxed);
        }
        mapping.ok()
    }
}

impl Source for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let found = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..)?.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> u64 {
        Source::len(self.as_slice())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.as_slice().read_exact_at(buffer, offset)
    }
}

impl<S: Source + ?Sized> Source for &S {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(buffer, offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        (**self).next_data(offset)
    }

    fn map(&self, offset: u64, len: usize) -> Option<Mapping> {
        (**self).map(offset, len)
    }
}
