// SPDX-License-Identifier: GPL-2.0

//! The place that a dump is written to.

use std::{
    fs::File,
    io,
    os::fd::AsFd,
    path::{
        Path,
        PathBuf, //
    }, //
};

use dumpfile::{
    flattened::writer::Flattened,
    target::Target, //
};
use nix::fcntl::{
    fcntl,
    FcntlArg,
    OFlag, //
};

use super::job::Job;
use crate::{
    clock::Moment,
    device::{
        self,
        Device,
        DeviceTarget, //
    },
    failure::Failure,
    target::{
        file::{
            self,
            FileTarget, //
        },
        Directory, //
    },
    verify::manifest_of, //
};

/// Standard output, as a target, and what it is called.
const STDOUT: &str = "-";
const STDOUT_NAME: &str = "standard output";

/// A place that a dump is written to.
#[derive(Debug)]
pub enum Place {
    /// A file.
    File(FileTarget),
    /// A file of a directory that is a dump's own.
    Directory(Directory, FileTarget),
    /// A prepared device.
    Device(DeviceTarget),
    /// What is written from front to back, and its name.
    Stream(Flattened<File>, String),
}

impl Place {
    /// Opens what the path names. `release` is that of the crashed kernel.
    pub fn open(path: &Path, job: &Job, release: &str) -> Result<Self, Failure> {
        if path == Path::new(STDOUT) {
            return standard_output(job);
        }
        if path.is_dir() {
            let directory = Directory::create(path, Moment::now())?;
            let path = directory.incomplete();
            let file = FileTarget::create(&path, false, job.size_limit)?;
            return Ok(Self::Directory(directory, file));
        }
        if device::is_device(path) {
            let device = Device::open(path, true)?;
            let target = DeviceTarget::begin(device, job.force, release, job.size_limit)?;
            return Ok(Self::Device(target));
        }
        if path.exists() && !path.is_file() {
            return stream(file::open_special(path)?, path.display().to_string());
        }
        if job.flattened {
            return stream(file::create(path, job.force)?, path.display().to_string());
        }
        let file = FileTarget::create(path, job.force, job.size_limit)?;
        Ok(Self::File(file))
    }

    /// Its name, for people.
    pub fn name(&self) -> String {
        match self {
            Self::File(file) => file.path().display().to_string(),
            Self::Directory(directory, _) => directory.incomplete().display().to_string(),
            Self::Device(device) => device.name(),
            Self::Stream(_, name) => name.clone(),
        }
    }

    /// The directory, if it is one.
    pub fn directory(&self) -> Option<&Directory> {
        match self {
            Self::Directory(directory, _) => Some(directory),
            _ => None,
        }
    }

    /// Whether it is written from front to back.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(..))
    }

    /// Where its checksums go if nothing else is said; nothing for what is no file.
    pub fn manifest(&self) -> Option<PathBuf> {
        match self {
            Self::File(file) | Self::Directory(_, file) if file.path().exists() => {
                Some(manifest_of(file.path()))
            }
            _ => None,
        }
    }

    /// Says that the dump is whole, and returns its last name.
    pub fn complete(self) -> Result<String, Failure> {
        let name = self.name();
        let failed = |error| {
            Failure::from_io(format_args!("cannot write to {name}"), &error).leaves_a_part()
        };
        match self {
            Self::File(_) => {}
            Self::Directory(directory, _) => {
                directory.finish()?;
                return Ok(directory.complete().display().to_string());
            }
            Self::Device(device) => device.complete().map_err(failed)?,
            Self::Stream(stream, _) => drop(stream.finish().map_err(failed)?),
        }
        Ok(name)
    }

    /// Has what there is of the dump be readable.
    pub fn give_up(self) {
        match self {
            // crash opens no stream that has no end. Where even that cannot be written, makedumpfile -R makes
            // a dump of what came.
            Self::Stream(stream, _) => drop(stream.finish()),
            _ => drop(self.sync()),
        }
    }

    fn target(&self) -> &dyn Target {
        match self {
            Self::File(file) | Self::Directory(_, file) => file,
            Self::Device(device) => device,
            Self::Stream(stream, _) => stream,
        }
    }
}

impl Target for Place {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.target().write_at(offset, bytes)
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        self.target().clear(offset, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.target().sync()
    }
}

/// Standard output: a file that can be written to in any order has the dump as it is, and all else a stream.
/// Where a file is opened to append, each write goes to its end.
fn standard_output(job: &Job) -> Result<Place, Failure> {
    let failed = |error| Failure::from_io(format_args!("cannot write to {STDOUT_NAME}"), &error);
    let file = io::stdout().as_fd().try_clone_to_owned();
    let file = File::from(file.map_err(failed)?);
    let flags = fcntl(&file, FcntlArg::F_GETFL).map_err(|errno| failed(errno.into()))?;
    let appends = OFlag::from_bits_retain(flags).contains(OFlag::O_APPEND);
    let metadata = file.metadata().map_err(failed)?;
    if job.flattened || appends || !metadata.is_file() || metadata.len() > 0 {
        return stream(file, STDOUT_NAME.into());
    }
    let target = FileTarget::new(file, STDOUT_NAME, job.size_limit);
    Ok(Place::File(target))
}

fn stream(file: File, name: String) -> Result<Place, Failure> {
    match Flattened::new(file) {
        Ok(stream) => Ok(Place::Stream(stream, name)),
        Err(error) => Err(Failure::from_io(
            format_args!("cannot write to {name}"),
            &error,
        )),
    }
}
