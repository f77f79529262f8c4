// SPDX-License-Identifier: GPL-2.0

//! A directory in which dumps are collected, as kdump-tools collects them: each in a directory of its own with
//! the time as its name.

use std::{
    fs::{
        self,
        File, //
    },
    io,
    path::{
        Path,
        PathBuf, //
    }, //
};

use crate::{
    clock::Moment,
    failure::Failure,
    verify::manifest_of, //
};

/// So many dumps of one minute are told apart.
const SAME_MINUTE_MAX: u32 = 100;

/// The directory of one dump.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    stamp: String,
}

impl Directory {
    /// Makes the directory of a dump in the one where dumps are collected.
    pub fn create(collection: &Path, now: Moment) -> Result<Self, Failure> {
        let minute = now.stamp();
        for number in 0..SAME_MINUTE_MAX {
            let stamp = match number {
                0 => minute.clone(),
                _ => format!("{minute}-{number}"),
            };
            let path = collection.join(&stamp);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, stamp }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(Failure::from_io(
                        format_args!("cannot make the directory {}", path.display()),
                        &error,
                    ));
                }
            }
        }
        Err(Failure::new(format!(
            "{} has {SAME_MINUTE_MAX} dumps of this minute already: name another directory",
            collection.display()
        )))
    }

    /// The dump, until it is complete.
    pub fn incomplete(&self) -> PathBuf {
        self.path.join("dump-incomplete")
    }

    /// The complete dump.
    pub fn complete(&self) -> PathBuf {
        self.path.join(format!("dump.{}", self.stamp))
    }

    /// The kernel's log.
    pub fn dmesg(&self) -> PathBuf {
        self.path.join(format!("dmesg.{}", self.stamp))
    }

    /// Gives the complete dump its name.
    pub fn finish(&self) -> Result<(), Failure> {
        let manifest = manifest_of(&self.incomplete());
        let renamed = match manifest.exists() {
            true => fs::rename(manifest, manifest_of(&self.complete())),
            false => Ok(()),
        };
        renamed
            .and_then(|()| fs::rename(self.incomplete(), self.complete()))
            .and_then(|()| File::open(&self.path)?.sync_all())
            .map_err(|error| {
                let what = format!("cannot rename {}", self.incomplete().display());
                Failure::from_io(what, &error)
            })
    }
}
