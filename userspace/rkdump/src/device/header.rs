// SPDX-License-Identifier: GPL-2.0

//! The header of a device that holds a dump.
//!
//! | offset | length | |
//! |---|---|---|
//! | 0 | 8 | `RKDUMPDV` |
//! | 8 | 4 | version: 1 |
//! | 12 | 4 | state: 0 empty, 1 incomplete, 2 complete |
//! | 16 | 8 | generation: that of the header before, and one |
//! | 24 | 8 | length of the device |
//! | 32 | 8 | where the dump begins |
//! | 40 | 8 | length of the dump; while it is incomplete, no less than what is written |
//! | 48 | 8 | when it was begun, in seconds since 1970 |
//! | 56 | 8 | when it was complete |
//! | 64 | 64 | the release of the crashed kernel, filled up with NUL |
//! | 480 | 32 | BLAKE3 of all that is before |
//!
//! What is not listed is zero; numbers are little-endian. There are two places for it, which are written by
//! turns: of two sound headers that with the higher generation holds. A header is as long as the shortest
//! sector, which a device writes whole or not at all.

/// Length of the header.
pub const HEADER_LEN: usize = 512;

/// Where the headers are.
pub const SLOTS: [u64; 2] = [0, 4096];

/// Where the dump begins: no header is in the same part of any device's erase block or stripe.
pub const DUMP_OFFSET: u64 = 1 << 20;

const MAGIC: [u8; 8] = *b"RKDUMPDV";
const VERSION: u32 = 1;

const VERSION_AT: usize = 8;
const STATE: usize = 12;
const GENERATION: usize = 16;
const DEVICE_LEN: usize = 24;
const DUMP_AT: usize = 32;
const DUMP_LEN: usize = 40;
const BEGUN: usize = 48;
const FINISHED: usize = 56;
const RELEASE: usize = 64;
const RELEASE_LEN: usize = 64;
const CHECKSUM: usize = 480;

const _: () = {
    assert!(VERSION_AT == MAGIC.len() && STATE == VERSION_AT + 4 && GENERATION == STATE + 4);
    assert!(FINISHED + 8 == RELEASE && RELEASE + RELEASE_LEN <= CHECKSUM);
    assert!(CHECKSUM + blake3::OUT_LEN == HEADER_LEN);
    assert!(SLOTS[0] + HEADER_LEN as u64 <= SLOTS[1]);
    assert!(SLOTS[1] + (HEADER_LEN as u64) <= DUMP_OFFSET);
};

/// What a device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was prepared, and no dump was written.
    Empty,
    /// A dump was begun, and not written to its end.
    Incomplete,
    /// There is a whole dump.
    Complete,
}

/// The header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub state: State,
    pub generation: u64,
    pub device_len: u64,
    pub dump_offset: u64,
    pub dump_len: u64,
    pub begun: u64,
    pub finished: u64,
    pub release: String,
}

impl Header {
    /// The header of a device without a dump.
    pub fn new(device_len: u64) -> Self {
        Self {
            state: State::Empty,
            generation: 0,
            device_len,
            dump_offset: DUMP_OFFSET,
            dump_len: 0,
            begun: 0,
            finished: 0,
            release: String::new(),
        }
    }

    /// The length of the longest dump that there is room for.
    pub fn room(&self) -> u64 {
        self.device_len.saturating_sub(self.dump_offset)
    }

    /// As it is on the device.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &MAGIC);
        put(VERSION_AT, &VERSION.to_le_bytes());
        let state: u32 = match self.state {
            State::Empty => 0,
            State::Incomplete => 1,
            State::Complete => 2,
        };
        put(STATE, &state.to_le_bytes());
        put(GENERATION, &self.generation.to_le_bytes());
        put(DEVICE_LEN, &self.device_len.to_le_bytes());
        put(DUMP_AT, &self.dump_offset.to_le_bytes());
        put(DUMP_LEN, &self.dump_len.to_le_bytes());
        put(BEGUN, &self.begun.to_le_bytes());
        put(FINISHED, &self.finished.to_le_bytes());
        let release = self.release.as_bytes();
        put(RELEASE, &release[..release.len().min(RELEASE_LEN)]);
        let checksum = blake3::hash(&bytes[..CHECKSUM]);
        bytes[CHECKSUM..].copy_from_slice(checksum.as_bytes());
        bytes
    }

    /// Reads what is on a device; none where that is no header, or not a whole one.
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let checksum: [u8; blake3::OUT_LEN] = array(bytes, CHECKSUM);
        if array(bytes, 0) != MAGIC || blake3::hash(&bytes[..CHECKSUM]) != checksum {
            return None;
        }
        if u32::from_le_bytes(array(bytes, VERSION_AT)) != VERSION {
            return None;
        }
        let number = |at| u64::from_le_bytes(array(bytes, at));
        let release: [u8; RELEASE_LEN] = array(bytes, RELEASE);
        let release = release.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(Self {
            state: match u32::from_le_bytes(array(bytes, STATE)) {
                0 => State::Empty,
                1 => State::Incomplete,
                2 => State::Complete,
                _ => return None,
            },
            generation: number(GENERATION),
            device_len: number(DEVICE_LEN),
            dump_offset: number(DUMP_AT),
            dump_len: number(DUMP_LEN),
            begun: number(BEGUN),
            finished: number(FINISHED),
            release: String::from_utf8_lossy(release).into_owned(),
        })
    }
}

fn array<const N: usize>(bytes: &[u8; HEADER_LEN], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}
