// SPDX-License-Identifier: GPL-2.0

//! A dump is written to a device.

use std::{
    io,
    os::unix::fs::FileExt,
    sync::{
        atomic::{
            AtomicU64,
            Ordering, //
        },
        Mutex, //
    }, //
};

use dumpfile::target::Target;
use nix::errno::Errno;

use super::{
    header::{
        Header,
        State, //
    },
    Device, //
};
use crate::{
    clock::Moment,
    failure::Failure, //
};

/// The header says of an incomplete dump that it ends at a multiple of this, so that it need not be written
/// often.
const STEP: u64 = 256 << 20;

/// Zeros are written so many at a time.
static ZEROS: [u8; 4 << 10] = [0; 4 << 10];

/// A device that a dump is being written to.
#[derive(Debug)]
pub struct DeviceTarget {
    device: Device,
    header: Mutex<Header>,
    /// What the header on the device says of the dump's length.
    announced: AtomicU64,
    end: AtomicU64,
    /// Where the dump begins on the device, and how long it may be.
    start: u64,
    limit: u64,
}

impl DeviceTarget {
    /// Begins a dump. A device that has one is refused, but with `force`.
    pub fn begin(
        device: Device,
        force: bool,
        release: &str,
        limit: Option<u64>,
    ) -> Result<Self, Failure> {
        let before = device.header()?;
        if before.state != State::Empty && !force {
            return Err(Failure::new(format!(
                "{0} has a dump of {1}: rkdump extract {0} FILE copies it, and rkdump format {0} drops it; -f \
                 replaces it",
                device.path().display(),
                Moment::from_seconds(before.begun)
            )));
        }
        let mut header = Header {
            state: State::Incomplete,
            begun: Moment::now().seconds(),
            finished: 0,
            release: release.into(),
            dump_len: 0,
            ..before
        };
        device
            .write_header(&mut header)
            .map_err(device.failed("write to"))?;
        let room = header.room();
        Ok(Self {
            device,
            start: header.dump_offset,
            header: Mutex::new(header),
            announced: AtomicU64::new(0),
            end: AtomicU64::new(0),
            limit: limit.map_or(room, |limit| limit.min(room)),
        })
    }

    /// Says on the device that the dump is whole.
    pub fn complete(&self) -> io::Result<()> {
        let mut header = self.header.lock().map_err(|_| io::ErrorKind::Other)?;
        header.state = State::Complete;
        header.dump_len = self.size();
        header.finished = Moment::now().seconds();
        self.device.write_header(&mut header)
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.device.path().display().to_string()
    }

    /// The length of the dump so far.
    pub fn size(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// Where a part of the dump is on the device, if there is room for it. Has the header say that the dump
    /// goes so far.
    fn announce(&self, offset: u64, len: u64) -> io::Result<u64> {
        let end = offset.checked_add(len).filter(|end| *end <= self.limit);
        let end = end.ok_or(Errno::ENOSPC)?;
        if end > self.announced.load(Ordering::Acquire) {
            let mut header = self.header.lock().map_err(|_| io::ErrorKind::Other)?;
            if end > header.dump_len {
                header.dump_len = end.next_multiple_of(STEP).min(self.limit);
                self.device.write_header(&mut header)?;
                self.announced.store(header.dump_len, Ordering::Release);
            }
        }
        self.end.fetch_max(end, Ordering::Relaxed);
        Ok(self.start + offset)
    }
}

impl Target for DeviceTarget {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let start = self.announce(offset, bytes.len() as u64)?;
        self.device.file.write_all_at(bytes, start)
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        let mut at = self.announce(offset, len)?;
        let end = at + len;
        while at < end {
            let piece = (end - at).min(ZEROS.len() as u64);
            self.device
                .file
                .write_all_at(&ZEROS[..piece as usize], at)?;
            at += piece;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.device.file.sync_data()
    }
}
