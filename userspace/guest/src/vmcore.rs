// SPDX-License-Identifier: GPL-2.0

//! Reading `/proc/vmcore` in every way there is: to compare two files of the same dump, and to
//! measure how long it takes.

pub mod compare;
pub mod timing;

use std::{
    fs::File,
    num::NonZeroUsize,
    os::{
        fd::AsRawFd,
        unix::fs::FileExt, //
    },
    path::{
        Path,
        PathBuf, //
    }, //
};

use nix::{
    errno::Errno,
    libc::{
        self,
        off_t, //
    },
    sys::mman::{
        MapFlags,
        ProtFlags, //
    }, //
};

use crate::{
    arguments,
    file_mapping::FileMapping,
    report::Failure, //
};

/// An open dump.
///
/// ```no_run
/// use guest::report::Failure;
/// use guest::vmcore::Dump;
///
/// let dump = Dump::open("/proc/vmcore".as_ref())?;
/// let mut head = [0; 64];
/// let read = dump
///     .read(&mut head, 0)
///     .map_err(|errno| Failure::errno("cannot read the dump", errno))?;
/// println!("{read} of {} bytes", dump.size()?);
/// # Ok::<(), Failure>(())
/// ```
#[derive(Debug)]
pub struct Dump {
    path: PathBuf,
    file: File,
}

impl Dump {
    /// Opens the dump for reading.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            path: path.to_owned(),
            file: arguments::open(path)?,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length, as stat(2) tells it.
    pub fn size(&self) -> Result<u64, Failure> {
        let metadata = self.file.metadata();
        let what = format_args!("cannot ask for the size of {}", self.path.display()).to_string();
        Ok(metadata.map_err(|error| Failure::io(what, &error))?.len())
    }

    /// One pread(2). Returns how much was read.
    pub fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
        self.file
            .read_at(buffer, offset)
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))
    }

    /// Maps a part of it to be read. `offset` must be a multiple of the page size.
    pub fn map(&self, offset: u64, len: NonZeroUsize, flags: MapFlags) -> nix::Result<FileMapping> {
        let offset = off_t::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
        // SAFETY: A dump is the memory of a kernel that runs no more.
        unsafe { FileMapping::new(&self.file, offset, len, flags) }
    }

    /// What mmap(2) answers who asks for more than reading.
    pub fn map_with(&self, protection: ProtFlags, flags: MapFlags) -> Result<(), Errno> {
        let len = NonZeroUsize::MIN.saturating_add(4095);
        // SAFETY: Without MAP_FIXED the kernel chooses addresses that nothing uses; nothing looks
        // at them.
        let base = unsafe {
            nix::sys::mman::mmap(
                None,
                len,
                ProtFlags::PROT_READ | protection,
                flags,
                &self.file,
                0,
            )
        }?;
        // SAFETY: Mapped just now.
        unsafe { nix::sys::mman::munmap(base, len.get()) }
    }

    /// One lseek(2).
    pub fn seek(&self, offset: i64, whence: libc::c_int) -> Result<i64, Errno> {
        // SAFETY: Moves this file's position, which nothing else here uses.
        Errno::result(unsafe { libc::lseek(self.file.as_raw_fd(), offset, whence) })
    }

    /// Where data and holes start, by turns, up to the end of the file.
    pub fn extents(&self) -> Result<Vec<(i64, &'static str)>, Failure> {
        let end = self.seek(0, libc::SEEK_END);
        let end = end.map_err(|errno| Failure::errno("the dump has no end", errno))?;
        let mut extents = Vec::new();
        let mut offset = 0;
        while offset < end {
            let (kind, next) = match self.seek(offset, libc::SEEK_HOLE) {
                Ok(hole) if hole > offset => ("data", hole),
                Ok(_) => match self.seek(offset, libc::SEEK_DATA) {
                    Ok(data) => ("hole", data),
                    // No data up to the end.
                    Err(Errno::ENXIO) => ("hole", end),
                    Err(errno) => return Err(Failure::errno("SEEK_DATA", errno)),
                },
                Err(errno) => return Err(Failure::errno("SEEK_HOLE", errno)),
            };
            extents.push((offset, kind));
            offset = next;
        }
        Ok(extents)
    }

    /// What poll(2) answers at once.
    pub fn poll(&self) -> Result<i16, Errno> {
        let mut asked = libc::pollfd {
            fd: self.file.as_raw_fd(),
            events: libc::POLLIN | libc::POLLOUT | libc::POLLPRI | libc::POLLRDHUP,
            revents: 0,
        };
        // SAFETY: `asked` is one valid structure.
        Errno::result(unsafe { libc::poll(&mut asked, 1, 0) })?;
        Ok(asked.revents)
    }
}
