// SPDX-License-Identifier: GPL-2.0

//! Data that are compressed in blocks, each by itself: the legacy frame of LZ4 ("LZ4 Frame Format
//! Description"), and the file of lzop (its `src/conf.h`). Both as the kernel's own
//! `lib/decompress_unlz4.c` and `lib/decompress_unlzo.c` take them.

use super::{
    compression::{
        Compression,
        LZ4_MAGIC,
        LZOP_MAGIC, //
    },
    error::CompressedError, //
};
use crate::types::bytes::{
    read_be_u16,
    read_be_u32,
    read_u32,
    read_u8,
    to_usize, //
};

/// What a block of LZ4's legacy frame becomes at most.
const LZ4_BLOCK_MAX: usize = 8 << 20;
/// What a block of lzop becomes at most.
const LZO_BLOCK_MAX: usize = 256 << 10;

// Fields of lzop's header, from version 0.94 on.
const LZOP_VERSION: usize = LZOP_MAGIC.len();
const LZOP_FLAGS: usize = LZOP_VERSION + 8;
const LZOP_NAME_LEN: usize = LZOP_FLAGS + 16;
const LZOP_CHECKSUM_LEN: usize = 4;
const LZOP_VERSION_MIN: u16 = 0x0940;

/// Blocks have the Adler-32 of what they become. It is the only checksum that the kernel's code knows.
const ADLER32_D: u32 = 1 << 0;
/// Other checksums, a filter and a further header.
const LZOP_OPTIONS: u32 = 1 << 1 | 1 << 6 | 1 << 8 | 1 << 9 | 1 << 11;

/// The blocks after lzop's header.
pub(super) fn skip_lzop_header(bytes: &[u8]) -> Result<&[u8], CompressedError> {
    let compression = Compression::Lzo;
    let len = bytes.len();
    let too_short = CompressedError::TooShort { compression, len };

    if !bytes.starts_with(LZOP_MAGIC) {
        return Err(CompressedError::Magic { compression });
    }
    let version = read_be_u16(bytes, LZOP_VERSION).ok_or(too_short)?;
    let flags = read_be_u32(bytes, LZOP_FLAGS).ok_or(too_short)?;
    if version < LZOP_VERSION_MIN || flags & (ADLER32_D | LZOP_OPTIONS) != ADLER32_D {
        return Err(CompressedError::Lzop { version, flags });
    }
    let name_len = usize::from(read_u8(bytes, LZOP_NAME_LEN).ok_or(too_short)?);
    bytes
        .get(LZOP_NAME_LEN + 1 + LZOP_CHECKSUM_LEN..)
        .and_then(|rest| rest.get(name_len..))
        .ok_or(too_short)
}

/// Decompresses a legacy frame of LZ4.
pub(super) fn lz4(
    bytes: &[u8],
    out: &mut [u8],
    mut decompress: impl FnMut(&[u8], &mut [u8]) -> Option<usize>,
) -> Option<usize> {
    let mut rest = bytes;
    let mut total: usize = 0;
    while let Some(block_len) = read_u32(rest, 0) {
        rest = rest.get(4..)?;
        match block_len {
            // Frames may follow each other.
            LZ4_MAGIC => continue,
            0 => break,
            _ => {}
        }
        let (block, after) = split(rest, block_len)?;
        rest = after;
        let room = out.get_mut(total..)?;
        let room_len = room.len().min(LZ4_BLOCK_MAX);
        let room = room.get_mut(..room_len)?;
        let len = decompress(block, room).filter(|len| *len <= room_len)?;
        total = total.checked_add(len)?;
    }
    Some(total)
}

/// Decompresses a file of lzop.
pub(super) fn lzo(
    bytes: &[u8],
    out: &mut [u8],
    mut decompress: impl FnMut(&[u8], &mut [u8]) -> Option<usize>,
) -> Option<usize> {
    let mut rest = skip_lzop_header(bytes).ok()?;
    let mut total: usize = 0;
    loop {
        let len = to_usize(read_be_u32(rest, 0)?.into());
        if len == 0 {
            return Some(total);
        }
        let block_len = read_be_u32(rest, 4)?;
        let checksum = read_be_u32(rest, 8)?;
        let (block, after) = split(rest.get(12..)?, block_len)?;
        rest = after;
        if len > LZO_BLOCK_MAX || block.is_empty() || block.len() > len {
            return None;
        }
        let end = total.checked_add(len)?;
        let room = out.get_mut(total..end)?;
        match block.len() == len {
            // It would have become longer.
            true => room.copy_from_slice(block),
            false if decompress(block, room) == Some(len) => {}
            false => return None,
        }
        if adler32(room) != checksum {
            return None;
        }
        total = end;
    }
}

fn split(bytes: &[u8], len: u32) -> Option<(&[u8], &[u8])> {
    let len = to_usize(len.into());
    Some((bytes.get(..len)?, bytes.get(len..)?))
}

/// Adler-32 (RFC 1950, section 8.2).
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    // The longest run for which the sums stay below 2^32.
    const RUN: usize = 5552;
    let (mut a, mut b) = (1_u32, 0_u32);
    for run in bytes.chunks(RUN) {
        for byte in run {
            a = a.wrapping_add(u32::from(*byte));
            b = b.wrapping_add(a);
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adler32_of_known_texts() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        // The sums of 0xff bytes are the first to overflow.
        assert_eq!(adler32(&[0xff; 1 << 16]), 0x7797_0ef2);
    }
}
