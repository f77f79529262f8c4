// SPDX-License-Identifier: GPL-2.0

//! The running kernel's log.

use std::{
    fs::OpenOptions,
    io::{
        ErrorKind,
        Read, //
    },
    os::unix::fs::OpenOptionsExt, //
};

use nix::{
    errno::Errno,
    fcntl::OFlag, //
};

/// The longest record (PRINTKRB_RECORD_MAX and its prefix).
const RECORD_LEN_MAX: usize = 8192;

/// What is left of the log, or nothing where it cannot be read.
pub fn read() -> String {
    let mut log = String::new();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open("/dev/kmsg");
    let Ok(mut file) = file else { return log };
    let mut record = [0; RECORD_LEN_MAX];
    loop {
        match file.read(&mut record) {
            Ok(0) => return log,
            Ok(len) => log.push_str(&String::from_utf8_lossy(&record[..len])),
            // The record was overwritten: the next read has the one after it.
            Err(error) if error.raw_os_error() == Some(Errno::EPIPE as i32) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return log,
        }
    }
}
