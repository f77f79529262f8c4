// SPDX-License-Identifier: GPL-2.0

//! `makedumpfile -R`: a flattened dump from a pipe becomes a plain file.
//!
//! The stream has a header of 4096 bytes, and then pieces, each after its place and its length as 64-bit
//! numbers, big-endian. A place of -1 ends it.

use std::{
    io::{
        self,
        Read, //
    },
    path::Path, //
};

use dumpfile::target::Target;

use crate::{
    failure::Failure,
    target::file::FileTarget, //
};

const HEADER_LEN: usize = 4096;
const SIGNATURE: &[u8] = b"makedumpfile\0";
/// Type and version, behind the 16 bytes of the signature.
const KIND: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
const KIND_AT: usize = 16;

const END: i64 = -1;

/// So much of a piece is in memory at a time.
const PIECE_LEN: usize = 1 << 20;

/// Writes what a stream has to a file.
pub fn rearrange(stream: impl Read, target: &Path, force: bool) -> Result<(), Failure> {
    let file = FileTarget::create(target, force, None)?;
    unpack(stream, &file)
}

fn unpack(mut stream: impl Read, target: &impl Target) -> Result<(), Failure> {
    let reading = |error: io::Error| {
        match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::new(
            "standard input ended before the dump did: what came is in the file, which is incomplete",
        )
        .leaves_a_part(),
        _ => Failure::from_io("cannot read standard input", &error),
    }
    };
    let writing = |error: io::Error| Failure::from_io("cannot write the dump", &error);
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).map_err(reading)?;
    if !header.starts_with(SIGNATURE) || header[KIND_AT..KIND_AT + KIND.len()] != KIND {
        return Err(Failure::new(
            "standard input is no flattened dump: it does not begin as one, as makedumpfile -F writes it",
        ));
    }
    let mut buffer = vec![0; PIECE_LEN];
    loop {
        let mut head = [0; 16];
        stream.read_exact(&mut head).map_err(reading)?;
        let (place, len) = head.split_at(8);
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | i64::from(*byte))
        };
        let (place, len) = (number(place), number(len));
        if place == END {
            break;
        }
        let (Ok(mut place), Ok(mut len)) = (u64::try_from(place), u64::try_from(len)) else {
            return Err(Failure::new(format!(
                "the dump on standard input is damaged: a piece of {len} bytes is at {place}"
            ))
            .leaves_a_part());
        };
        while len > 0 {
            let now = &mut buffer[..len.min(PIECE_LEN as u64) as usize];
            stream.read_exact(now).map_err(reading)?;
            target.write_at(place, now).map_err(writing)?;
            place = place.saturating_add(now.len() as u64);
            len -= now.len() as u64;
        }
    }
    target.sync().map_err(writing)
}

#[cfg(test)]
mod tests {
    use dumpfile::target::MemoryTarget;

    use super::*;

    fn stream(pieces: &[(i64, &[u8])]) -> Vec<u8> {
        let mut stream = vec![0; HEADER_LEN];
        stream[..SIGNATURE.len()].copy_from_slice(SIGNATURE);
        stream[KIND_AT..KIND_AT + KIND.len()].copy_from_slice(&KIND);
        for (place, bytes) in pieces {
            stream.extend_from_slice(&place.to_be_bytes());
            stream.extend_from_slice(&(bytes.len() as i64).to_be_bytes());
            stream.extend_from_slice(bytes);
        }
        stream
    }

    fn result(stream: &[u8]) -> Result<Vec<u8>, Failure> {
        let target = MemoryTarget::default();
        unpack(stream, &target).map(|()| target.into_bytes())
    }

    #[test]
    fn pieces_are_put_where_they_belong() {
        let stream = stream(&[(4, b"5678"), (0, b"1234"), (2, b"x"), (END, b"")]);
        assert_eq!(result(&stream).unwrap(), b"12x45678");
    }

    #[test]
    fn what_is_no_such_stream_is_refused() {
        let whole = stream(&[(0, b"1234"), (END, b"")]);
        for (len, sentence) in [
            (0, "ended before"),
            (4100, "ended before"),
            (whole.len() - 1, "ended before"),
        ] {
            let failure = result(&whole[..len]).unwrap_err().to_string();
            assert!(failure.contains(sentence), "{failure}");
        }
        let failure = result(&[0; 8192]).unwrap_err().to_string();
        assert!(failure.contains("no flattened dump"), "{failure}");
        let failure = result(&stream(&[(-2, b"1")])).unwrap_err().to_string();
        assert!(failure.contains("at -2"), "{failure}");
    }
}
