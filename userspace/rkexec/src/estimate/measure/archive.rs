// SPDX-License-Identifier: GPL-2.0

//! The archive that is added to an initrd
//! (Documentation/driver-api/early-userspace/buffer-format.rst).

use watcher::{
    DIRECTORY,
    PROC,
    PROGRAM, //
};

/// What the parts of an archive, and archives, are aligned to.
const ALIGNMENT: usize = 4;

// The modes are root's.
const FOLDER: u32 = 0o040_700;
const PROGRAM_FILE: u32 = 0o100_700;

/// The initrd as it is, and after it an archive with the program that watches.
pub fn with_watcher(initrd: &[u8], program: &[u8]) -> Vec<u8> {
    let mut bytes = initrd.to_vec();
    align(&mut bytes);
    entry(&mut bytes, DIRECTORY, FOLDER, &[]);
    entry(&mut bytes, &format!("{DIRECTORY}/{PROC}"), FOLDER, &[]);
    let name = format!("{DIRECTORY}/{PROGRAM}");
    entry(&mut bytes, &name, PROGRAM_FILE, program);
    entry(&mut bytes, "TRAILER!!!", 0, &[]);
    bytes
}

fn entry(archive: &mut Vec<u8>, name: &str, mode: u32, contents: &[u8]) {
    // Inode, mode, owner, group, links, time, length, four numbers of devices, the name's length with its
    // NUL, a checksum that is not looked at. With one link a file's inode does not matter.
    let name_len = name.len() as u32 + 1;
    let len = contents.len() as u32;
    let fields = [0, mode, 0, 0, 1, 0, len, 0, 0, 0, 0, name_len, 0];
    archive.extend(b"070701");
    for field in fields {
        archive.extend(format!("{field:08x}").bytes());
    }
    archive.extend(name.bytes());
    archive.push(0);
    align(archive);
    archive.extend(contents);
    align(archive);
}

fn align(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(ALIGNMENT), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initrd::measure;

    #[test]
    fn the_kernel_finds_the_program_behind_the_initrd() {
        let mut initrd = Vec::new();
        entry(&mut initrd, "init", PROGRAM_FILE, b"#!/bin/sh\n");
        // An archive need not end where the next one may begin.
        entry(&mut initrd, "TRAILER!!!", 0, &[]);
        initrd.extend([0; 3]);
        let both = with_watcher(&initrd, b"\x7fELF program");
        assert!(both.starts_with(&initrd));
        let found = measure("", &both).expect("both archives are good");
        for path in ["/init", "/.rkexec-watcher/program"] {
            let file = found.files.find(path.as_bytes());
            assert!(file.is_some_and(|file| file.is_program()), "{path}");
        }
        assert_eq!(found.files.count(), 4);
    }
}
