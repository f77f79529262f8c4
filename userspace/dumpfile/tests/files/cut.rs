// SPDX-License-Identifier: GPL-2.0

//! Targets that fail, as a full disk does, or as a file whose writer is killed.

use std::{
    io,
    sync::atomic::{
        AtomicI64,
        Ordering, //
    }, //
};

use dumpfile::target::{
    MemoryTarget,
    Target, //
};

/// A target that takes so many bytes and then no more: the write that is one too many is cut.
#[derive(Debug)]
pub struct Cut {
    pub file: MemoryTarget,
    room: AtomicI64,
}

impl Cut {
    pub fn new(room: usize) -> Self {
        Self {
            file: MemoryTarget::default(),
            room: AtomicI64::new(room as i64),
        }
    }
}

impl Target for Cut {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let len = bytes.len() as i64;
        let room = self.room.fetch_sub(len, Ordering::Relaxed).clamp(0, len);
        // What is cut is a multiple of what a machine writes at once.
        let room = if room < len { room & !7 } else { room };
        self.file.write_at(offset, &bytes[..room as usize])?;
        match room == len {
            true => Ok(()),
            false => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn clear(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A target whose writer is killed after so many calls.
#[derive(Debug)]
pub struct Killed {
    pub file: MemoryTarget,
    calls: AtomicI64,
}

impl Killed {
    pub fn after(calls: usize) -> Self {
        Self {
            file: MemoryTarget::default(),
            calls: AtomicI64::new(calls as i64),
        }
    }

    fn call(&self) -> io::Result<()> {
        match self.calls.fetch_sub(1, Ordering::Relaxed) {
            ..=0 => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(()),
        }
    }
}

impl Target for Killed {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.call()?;
        self.file.write_at(offset, bytes)
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        self.call()?;
        self.file.clear(offset, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.call()
    }
}
