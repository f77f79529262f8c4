// SPDX-License-Identifier: GPL-2.0

//! The physical memory of the machine that was dumped.

use std::{
    fmt,
    io,
    ops::Deref, //
};

/// Physical memory, as a dump has it. Several threads read it at once.
pub trait PhysicalMemory: Sync {
    /// A view of some of it, which may be mapped or copied.
    type Window<'a>: Deref<Target = [u8]>
    where
        Self: 'a;

    /// A view that begins at a physical address and has at least one byte and at most `len`. It ends
    /// earlier where the dump has no more, or where what follows lies elsewhere in the file.
    fn window(&self, address: u64, len: usize) -> Result<Self::Window<'_>, MemoryError>;

    /// Fills a buffer with what is at a physical address.
    fn read(&self, mut address: u64, mut buffer: &mut [u8]) -> Result<(), MemoryError> {
        while !buffer.is_empty() {
            let window = self.window(address, buffer.len())?;
            let len = window.len().min(buffer.len());
            let (now, later) = buffer.split_at_mut(len);
            now.copy_from_slice(&window[..len]);
            buffer = later;
            // Past the last address there is nothing to read, and the next window says so.
            address = address.saturating_add(len as u64);
        }
        Ok(())
    }

    /// Fills a buffer with a frame, and with zeros where the dump has only a part of it: memory may begin
    /// or end within a frame.
    fn read_frame(&self, address: u64, frame: &mut [u8]) -> Result<(), MemoryError> {
        match self.read(address, frame) {
            Err(MemoryError::Missing(_)) => {}
            read => return read,
        }
        frame.fill(0);
        let mut is_missing = true;
        let mut done = 0;
        while done < frame.len() {
            let rest = &mut frame[done..];
            match self.window(address.saturating_add(done as u64), rest.len()) {
                Ok(window) => {
                    let len = window.len().min(rest.len());
                    rest[..len].copy_from_slice(&window[..len]);
                    is_missing = false;
                    done += len;
                }
                Err(MemoryError::Missing(_)) => done += 1,
                Err(error) => return Err(error),
            }
        }
        match is_missing {
            true => Err(MemoryError::Missing(address)),
            false => Ok(()),
        }
    }
}

/// Why memory cannot be read.
#[derive(Debug)]
pub enum MemoryError {
    /// The dump does not have what is at this physical address.
    Missing(u64),
    /// The file cannot be read where it has this physical address.
    Io(u64, io::Error),
    /// What the file has for this physical address is not what was written.
    Damaged(u64),
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(address) => {
                write!(f, "the dump does not have the memory at {address:#x}")
            }
            Self::Damaged(address) => {
                write!(
                    f,
                    "the memory at {address:#x} cannot be unpacked: the dump was damaged"
                )
            }
            Self::Io(address, error) => {
                write!(
                    f,
                    "the memory at {address:#x} cannot be read from the dump: {error}"
                )
            }
        }
    }
}

impl std::error::Error for MemoryError {}
