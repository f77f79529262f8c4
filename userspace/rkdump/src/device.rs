// SPDX-License-Identifier: GPL-2.0

//! A block device that holds one dump, and says by a header of its own what is there: it is found again after
//! the reboot without a file system.

pub mod header;
mod prepare;
mod target;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{
        File,
        OpenOptions, //
    },
    io::{
        self,
        Seek,
        SeekFrom, //
    },
    os::unix::fs::{
        FileExt,
        FileTypeExt,
        OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    }, //
};

use nix::fcntl::OFlag;

use self::header::{
    Header,
    HEADER_LEN,
    SLOTS, //
};
pub use self::{
    prepare::prepare,
    target::DeviceTarget, //
};
use crate::failure::Failure;

/// An open device.
#[derive(Debug)]
pub struct Device {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Device {
    /// Opens a device, or a file in its place. For writing nobody else may use it.
    pub fn open(path: &Path, write: bool) -> Result<Self, Failure> {
        let failed = |error: io::Error| match (write, error.kind()) {
            (true, io::ErrorKind::ResourceBusy) => Failure::new(format!(
                "{} is in use: it is mounted, or part of a volume or an array",
                path.display()
            )),
            _ => Failure::from_io(format_args!("cannot open {}", path.display()), &error),
        };
        let kind = path.metadata().map_err(failed)?.file_type();
        if !kind.is_block_device() && !kind.is_file() {
            return Err(Failure::new(format!(
                "{} is no block device, and no file either",
                path.display()
            )));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(write);
        // For a file the flag has a meaning only where it is created.
        if write && kind.is_block_device() {
            options.custom_flags(OFlag::O_EXCL.bits());
        }
        let mut file = options.open(path).map_err(failed)?;
        let len = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self {
            file,
            path: path.into(),
            len,
        })
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its header: the last that was written whole.
    pub fn header(&self) -> Result<Header, Failure> {
        let headers = SLOTS.iter().filter_map(|slot| {
            let mut bytes = [0; HEADER_LEN];
            self.file.read_exact_at(&mut bytes, *slot).ok()?;
            Header::decode(&bytes)
        });
        let header = headers.max_by_key(|header| header.generation);
        let header = header.ok_or_else(|| {
            Failure::new(format!(
                "{0} was not prepared for a dump: rkdump format {0} does that, and all that is on it is lost then",
                self.path.display()
            ))
        })?;
        if header.device_len > self.len {
            return Err(Failure::new(format!(
                "{} was prepared when it had {} bytes, and has {} now: prepare it again",
                self.path.display(),
                header.device_len,
                self.len
            )));
        }
        Ok(header)
    }

    /// Writes the next header where the one before the last was, so that one of them is whole at any moment.
    fn write_header(&self, header: &mut Header) -> io::Result<()> {
        header.generation += 1;
        let slot = SLOTS[(header.generation % SLOTS.len() as u64) as usize];
        self.file.write_all_at(&header.encode(), slot)?;
        self.file.sync_data()
    }

    /// The dump's bytes, from an offset in it.
    pub fn read_at(&self, header: &Header, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = header.dump_len.saturating_sub(offset);
        let len = left.min(buffer.len() as u64) as usize;
        let start = header.dump_offset.saturating_add(offset);
        self.file.read_at(&mut buffer[..len], start)
    }

    fn failed<'a>(&'a self, what: &'a str) -> impl Fn(io::Error) -> Failure + 'a {
        move |error| Failure::from_io(Named(what, &self.path), &error)
    }
}

/// A task with a device.
struct Named<'a>(&'a str, &'a Path);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}", self.0, self.1.display())
    }
}

/// Whether a path names something that is written to as a device: a block device, or a file that was prepared.
pub fn is_device(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else {
        return false;
    };
    metadata.file_type().is_block_device()
        || (metadata.is_file() && Device::open(path, false).is_ok_and(|it| it.header().is_ok()))
}
