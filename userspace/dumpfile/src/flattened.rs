// SPDX-License-Identifier: GPL-2.0

//! The flattened form of a file, which makedumpfile writes with `-F`, for what can only be written from
//! front to back.
//!
//! It begins with a header that is filled up to [`HEADER_LEN`]. Then come records, each of an offset, a
//! length and so many bytes, which belong at that offset of the file. What no record has is zeros, and
//! of two records for the same place the later one counts. A record with the offset and the length −1
//! ends it. Numbers are big-endian (`makedumpfile.h`: `struct makedumpfile_header` and
//! `struct makedumpfile_data_header`).

pub mod reader;
pub mod writer;

/// Length of what precedes the records.
pub const HEADER_LEN: usize = 4096;

/// `signature`, which has 16 bytes.
const SIGNATURE: [u8; 16] = *b"makedumpfile\0\0\0\0";
/// `type`.
const TYPE: i64 = 1;
/// `version`.
const VERSION: i64 = 1;

/// Length of what precedes a record's bytes.
pub const RECORD_HEADER_LEN: usize = 16;

/// The offset and the length of the record that is the last.
const END: i64 = -1;

const _: () = assert!(SIGNATURE.len() + 2 * size_of::<i64>() <= HEADER_LEN);
const _: () = assert!(RECORD_HEADER_LEN == 2 * size_of::<i64>());

/// What the file begins with.
fn header() -> Vec<u8> {
    let mut header = Vec::from(SIGNATURE);
    header.extend(TYPE.to_be_bytes());
    header.extend(VERSION.to_be_bytes());
    header.resize(HEADER_LEN, 0);
    header
}

/// What precedes a record's bytes.
fn record_header(offset: i64, len: i64) -> [u8; RECORD_HEADER_LEN] {
    let mut header = [0; RECORD_HEADER_LEN];
    header[..8].copy_from_slice(&offset.to_be_bytes());
    header[8..].copy_from_slice(&len.to_be_bytes());
    header
}
