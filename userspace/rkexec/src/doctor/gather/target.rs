// SPDX-License-Identifier: GPL-2.0

//! The place of the dump: how much room it has, and which modules drive it.

use std::{
    fs,
    os::unix::fs::{
        FileTypeExt,
        MetadataExt, //
    },
    path::{
        Path,
        PathBuf, //
    }, //
};

use nix::sys::{
    stat::{
        major,
        minor, //
    },
    statvfs::statvfs, //
};

use super::text;
use crate::doctor::facts::{
    Target,
    TargetKind, //
};

/// The unit of a block device's length in sysfs.
const SECTOR: u64 = 512;

/// The facts about a directory or a block device.
pub fn gather(path: &Path) -> Target {
    let name = path.display().to_string();
    let unknown = |reason: String| Target {
        path: name.clone(),
        kind: TargetKind::Unknown(reason),
        drivers: Vec::new(),
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => return unknown(format!("dumps are to go to {name}: {error}")),
    };
    let file_type = metadata.file_type();
    if file_type.is_block_device() {
        let device = Device::of(metadata.rdev());
        if filesystem(metadata.rdev()).is_some() {
            return unknown(format!(
                "{name} has a file system that is mounted: a dump goes to a directory on it"
            ));
        }
        return match device.len() {
            Some(len) => Target {
                kind: TargetKind::Device { len },
                drivers: device.modules(None),
                path: name,
            },
            None => unknown(format!("{name} has no length in sysfs")),
        };
    }
    if !file_type.is_dir() {
        return unknown(format!("{name} is neither a directory nor a block device"));
    }
    let free = match statvfs(path) {
        Ok(found) => found.blocks_available() * found.fragment_size(),
        Err(errno) => return unknown(format!("what is free in {name} is not known: {errno}")),
    };
    let filesystem = filesystem(metadata.dev()).unwrap_or_else(|| "unknown".into());
    let root = fs::metadata("/").map(|root| root.dev()).ok();
    Target {
        drivers: Device::of(metadata.dev()).modules(Some(&filesystem)),
        kind: TargetKind::Directory {
            filesystem,
            free,
            is_root: root == Some(metadata.dev()),
        },
        path: name,
    }
}

/// The name of the file system with this number.
fn filesystem(number: u64) -> Option<String> {
    let wanted = Device::of(number).number();
    let mounts = text("/proc/self/mountinfo")?;
    let mut lines = mounts.lines();
    let line = lines.rfind(|line| line.split(' ').nth(2) == Some(&wanted))?;
    let (_, rest) = line.split_once(" - ")?;
    rest.split(' ').next().map(Into::into)
}

/// A block device.
struct Device {
    major: u64,
    minor: u64,
}

impl Device {
    fn of(number: u64) -> Self {
        Self {
            major: major(number),
            minor: minor(number),
        }
    }

    fn number(&self) -> String {
        format!("{}:{}", self.major, self.minor)
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(format!("/sys/dev/block/{}", self.number()))
    }

    fn len(&self) -> Option<u64> {
        let sectors: u64 = text(self.folder().join("size"))?.parse().ok()?;
        sectors.checked_mul(SECTOR)
    }

    /// The modules that drive it and what is below it, and the one of the file system on it. What is built
    /// into the running kernel is none.
    fn modules(&self, filesystem: Option<&str>) -> Vec<String> {
        let loaded = text("/proc/modules").unwrap_or_default();
        let loaded: Vec<&str> = loaded
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        let mut drivers: Vec<String> = filesystem.map(Into::into).into_iter().collect();
        drivers_of(&self.folder(), &mut drivers);
        drivers.retain(|driver| loaded.contains(&driver.as_str()));
        drivers.sort();
        drivers.dedup();
        drivers
    }
}

/// The drivers of a device, of those that it is made of, and of all that it is connected by.
fn drivers_of(folder: &Path, drivers: &mut Vec<String>) {
    let Ok(folder) = fs::canonicalize(folder) else {
        return;
    };
    for slave in fs::read_dir(folder.join("slaves"))
        .into_iter()
        .flatten()
        .flatten()
    {
        drivers_of(&slave.path(), drivers);
    }
    for folder in folder.ancestors() {
        let module = fs::canonicalize(folder.join("driver/module")).ok();
        let name = module.as_deref().and_then(Path::file_name);
        drivers.extend(name.map(|name| name.to_string_lossy().into_owned()));
    }
}
