// SPDX-License-Identifier: GPL-2.0

//! `rkdump format`: a device is prepared for a dump.

use std::os::unix::fs::FileExt;

use super::{
    header::{
        Header,
        DUMP_OFFSET,
        HEADER_LEN,
        SLOTS, //
    },
    Device, //
};
use crate::failure::Failure;

/// At the begin and at the end of a device file systems, volumes, arrays and partition tables have what they are
/// known by.
const LOOKED_AT_LEN: u64 = 1 << 20;
const PIECE_LEN: usize = 64 << 10;

/// Prepares a device, and says how long a dump it has room for.
pub fn prepare(device: &Device, force: bool) -> Result<u64, Failure> {
    let name = device.path().display();
    if device.len <= 2 * DUMP_OFFSET {
        return Err(Failure::new(format!(
            "{name} has {} bytes: a dump needs more than {}",
            device.len,
            2 * DUMP_OFFSET
        )));
    }
    if !force && device.header().is_err() {
        if let Some(at) = first_used(device)? {
            return Err(Failure::new(format!(
                "{name} is not empty: there is something at {at:#x}, which would be lost. wipefs says what it is; \
                 rkdump format --force prepares the device all the same"
            )));
        }
    }
    let mut header = Header::new(device.len);
    // Both, so that no header from before holds.
    header.generation = device.header().map_or(0, |before| before.generation);
    for _ in SLOTS {
        device
            .write_header(&mut header)
            .map_err(device.failed("write to"))?;
    }
    Ok(header.room())
}

/// Where the first byte is that is not zero, at the begin or at the end.
fn first_used(device: &Device) -> Result<Option<u64>, Failure> {
    let mut piece = vec![0; PIECE_LEN];
    let ends = [0, device.len - LOOKED_AT_LEN];
    for start in ends {
        for at in (start..start + LOOKED_AT_LEN).step_by(PIECE_LEN) {
            let read = device.file.read_exact_at(&mut piece, at);
            read.map_err(device.failed("read"))?;
            if let Some(offset) = piece.iter().position(|byte| *byte != 0) {
                return Ok(Some(at + offset as u64));
            }
        }
    }
    Ok(None)
}

const _: () = assert!(LOOKED_AT_LEN >= SLOTS[1] + HEADER_LEN as u64);
