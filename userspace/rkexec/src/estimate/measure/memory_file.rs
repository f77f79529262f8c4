// SPDX-License-Identifier: GPL-2.0

//! Files without a place in the file system. So nothing is left behind, however a run ends.

use std::{
    fs::File,
    io::Write,
    os::{
        fd::AsRawFd,
        unix::fs::FileExt, //
    },
    process::Stdio, //
};

use nix::sys::memfd::{
    memfd_create,
    MFdFlags, //
};

use crate::failure::Failure;

/// A file in memory, which processes that are started inherit.
pub struct MemoryFile(File);

impl MemoryFile {
    /// A file with these contents. `name` is for /proc and for sentences.
    pub fn new(name: &str, contents: &[u8]) -> Result<Self, Failure> {
        let unable = |error: &std::io::Error| {
            Failure::from_io(
                format_args!("cannot keep the guest's {name} in memory"),
                error,
            )
        };
        let made = memfd_create(name, MFdFlags::empty());
        let mut file = File::from(made.map_err(|errno| unable(&errno.into()))?);
        file.write_all(contents).map_err(|error| unable(&error))?;
        Ok(Self(file))
    }

    /// The path by which a process that inherited it opens it.
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }

    /// The file for the output of a process.
    pub fn stdio(&self) -> Result<Stdio, Failure> {
        let file = self.0.try_clone();
        let file = file.map_err(|error| Failure::from_io("cannot share a file", &error))?;
        Ok(file.into())
    }

    /// Calls `look` for each piece of so many bytes.
    pub fn for_each(&self, piece_len: usize, mut look: impl FnMut(&[u8])) {
        let mut piece = vec![0; piece_len];
        let mut at = 0;
        while self.0.read_exact_at(&mut piece, at).is_ok() {
            look(&piece);
            at += piece_len as u64;
        }
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        let len = self.0.metadata().map_or(0, |facts| facts.len());
        let mut bytes = vec![0; len as usize];
        let read = self.0.read_at(&mut bytes, 0).unwrap_or_default();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }
}
