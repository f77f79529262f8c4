// SPDX-License-Identifier: GPL-2.0

//! A file that a dump is written to.

use std::{
    fs::{
        File,
        OpenOptions, //
    },
    io,
    os::unix::fs::{
        FileExt,
        OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};

use dumpfile::target::Target;
use nix::errno::Errno;

use crate::failure::Failure;

/// A dump has the secrets of everybody on the machine.
const MODE: u32 = 0o600;

/// Zeros of this length and alignment are not written: the file reads as zeros there anyway.
const HOLE_LEN: usize = 4096;

/// A new file.
#[derive(Debug)]
pub struct FileTarget {
    file: File,
    path: PathBuf,
    limit: Option<u64>,
    end: AtomicU64,
}

impl FileTarget {
    /// Creates a file. One that is there is replaced with `force`, and else refused. At most `limit` bytes are
    /// written, after which the file behaves as if the disk were full.
    pub fn create(path: &Path, force: bool, limit: Option<u64>) -> Result<Self, Failure> {
        Ok(Self {
            file: create(path, force)?,
            path: path.into(),
            limit,
            end: AtomicU64::new(0),
        })
    }

    /// Takes a file that is open for writing and empty.
    pub fn new(file: File, name: &str, limit: Option<u64>) -> Self {
        Self {
            file,
            path: name.into(),
            limit,
            end: AtomicU64::new(0),
        }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a place of the file is beyond what may be written.
    fn check(&self, end: Option<u64>) -> io::Result<u64> {
        end.filter(|end| self.limit.is_none_or(|limit| *end <= limit))
            .ok_or_else(|| Errno::ENOSPC.into())
    }
}

/// Creates a file that only its owner reads.
pub fn create(path: &Path, force: bool) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(MODE);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(format!(
            "{} is there already: name another file, or replace it with -f",
            path.display()
        )),
        _ => Failure::from_io(format_args!("cannot create {}", path.display()), &error),
    })
}

/// Opens what is there and is no file, such as a named pipe or /dev/null. It can be written to from front to back
/// only, and has nothing to be replaced.
pub fn open_special(path: &Path) -> Result<File, Failure> {
    let opened = OpenOptions::new().write(true).open(path);
    opened.map_err(|error| {
        Failure::from_io(format_args!("cannot write to {}", path.display()), &error)
    })
}

impl Target for FileTarget {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = self.check(offset.checked_add(bytes.len() as u64))?;
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let skipped = hole(at, rest);
            at += skipped as u64;
            rest = &rest[skipped..];
            let len = data(at, rest);
            self.file.write_all_at(&rest[..len], at)?;
            at += len as u64;
            rest = &rest[len..];
        }
        self.end.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        let end = self.check(offset.checked_add(len))?;
        let before = self.end.fetch_max(end, Ordering::Relaxed);
        if end > before {
            self.file.set_len(end)?;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let end = self.end.load(Ordering::Relaxed);
        // Zeros at the end were not written.
        if self.file.metadata()?.len() < end {
            self.file.set_len(end)?;
        }
        self.file.sync_all()
    }
}

/// How many bytes from `at` on are zeros that need not be written: whole aligned blocks.
fn hole(at: u64, bytes: &[u8]) -> usize {
    if at % HOLE_LEN as u64 != 0 {
        return 0;
    }
    let blocks = bytes.chunks_exact(HOLE_LEN);
    blocks.take_while(|block| is_zero(block)).count() * HOLE_LEN
}

/// How many bytes from `at` on are written in one go: up to the next block of zeros.
fn data(at: u64, bytes: &[u8]) -> usize {
    let first = (at.next_multiple_of(HOLE_LEN as u64) - at) as usize;
    let Some(blocks) = bytes.get(first..) else {
        return bytes.len();
    };
    let blocks = blocks.chunks_exact(HOLE_LEN);
    let count = blocks.clone().position(is_zero);
    count.map_or(bytes.len(), |count| first + count * HOLE_LEN)
}

fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}
