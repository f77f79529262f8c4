// SPDX-License-Identifier: GPL-2.0

//! Where a dump is written.

use std::{
    io,
    sync::Mutex, //
};

/// A place that a dump is written to, by several threads at once and in any order.
///
/// What can only be written from front to back, as a pipe or a connection, is no target by itself:
/// [`crate::flattened`] makes one of it.
pub trait Target: Sync {
    /// Writes all of the bytes at an offset. Writers write each place once, except for the header, which
    /// they write again at the end.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes `len` bytes at an offset read as zeros until something else is written there. In a new
    /// file that is so without any work.
    fn clear(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Waits until all that was written so far will outlast a loss of power. Writers call it before they
    /// mark a dump as complete, and after.
    fn sync(&self) -> io::Result<()>;
}

impl<T: Target + ?Sized> Target for &T {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write_at(offset, bytes)
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        (**self).clear(offset, len)
    }

    fn sync(&self) -> io::Result<()> {
        (**self).sync()
    }
}

/// A target in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryTarget {
    bytes: Mutex<Vec<u8>>,
}

impl MemoryTarget {
    /// What was written.
    ///
    /// # Panics
    ///
    /// A thread has panicked while it wrote.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_inner().expect("no writer has panicked")
    }
}

impl Target for MemoryTarget {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.bytes.lock().map_err(|_| io::ErrorKind::Other)?;
        let start = offset as usize;
        let end = start + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        self.write_at(offset, &vec![0; len as usize])
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
