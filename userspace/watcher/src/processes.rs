// SPDX-License-Identifier: GPL-2.0

//! The guest's programs, by `/proc`, which is the working directory.

use std::{
    fs::{
        self,
        Metadata, //
    },
    io,
    os::unix::fs::MetadataExt,
    path::{
        Path,
        PathBuf, //
    },
    process, //
};

/// The dump, in the working directory.
pub const VMCORE: &str = "vmcore";

/// A program that runs.
pub struct Process {
    directory: PathBuf,
}

impl Process {
    /// All programs but this one. What has ended meanwhile is left out.
    pub fn all() -> io::Result<Vec<Self>> {
        let own = process::id().to_string();
        let mut found = Vec::new();
        for entry in fs::read_dir(".")? {
            let name = entry?.file_name();
            let number = name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
            let directory = PathBuf::from(&name);
            // Threads of the kernel have no file.
            if number && name != *own && fs::read_link(directory.join("exe")).is_ok() {
                found.push(Self { directory });
            }
        }
        Ok(found)
    }

    /// Its name, as `ps` has it.
    pub fn name(&self) -> String {
        let name = fs::read_to_string(self.directory.join("comm"));
        name.unwrap_or_default().trim_end().to_owned()
    }

    /// Whether it is called so, by its name or that of its file.
    pub fn is_called(&self, name: &str) -> bool {
        let file = fs::read_link(self.directory.join("exe")).unwrap_or_default();
        // The kernel keeps 15 bytes of a name.
        let short = name.get(..15).unwrap_or(name);
        self.name() == short || file.file_name().is_some_and(|file| file == name)
    }

    /// How far it has read the dump, if it has it open.
    pub fn position_in(&self, dump: &Metadata) -> Option<u64> {
        let files = fs::read_dir(self.directory.join("fd")).ok()?;
        let is_dump = |file: &Path| {
            let target = fs::read_link(file).unwrap_or_default();
            // Since 5.8 each mount of proc is a device of its own, with the same numbers.
            let same = |file: Metadata| file.ino() == dump.ino() && file.len() == dump.len();
            target.file_name().is_some_and(|name| name == VMCORE)
                && fs::metadata(file).is_ok_and(same)
        };
        let file = files.flatten().find(|file| is_dump(&file.path()))?;
        let facts = self.directory.join("fdinfo").join(file.file_name());
        position(&fs::read_to_string(facts).ok()?)
    }
}

/// The position in a file of `fdinfo`.
fn position(facts: &str) -> Option<u64> {
    let line = facts.lines().find_map(|line| line.strip_prefix("pos:"))?;
    line.trim().parse().ok()
}

/// The programs that the kernel has killed for want of memory.
pub fn killed() -> u64 {
    let facts = fs::read_to_string("vmstat").unwrap_or_default();
    let line = facts
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "));
    line.and_then(|count| count.trim().parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read() {
        assert_eq!(position("pos:\t4096\nflags:\t0100000\n"), Some(4096));
        assert_eq!(position("flags:\t0100000\n"), None);
    }
}
