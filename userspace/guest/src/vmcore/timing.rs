// SPDX-License-Identifier: GPL-2.0

//! How long it takes to get at every byte of a dump.

use std::{
    num::NonZeroUsize,
    ptr,
    thread,
    time::Instant, //
};

use nix::sys::mman::MapFlags;
use serde::Serialize;

use crate::report::Failure;

use super::Dump;

/// How the bytes are got.
#[derive(Clone, Copy, Debug)]
pub enum Method {
    /// By pread(2) of so many bytes.
    Read(NonZeroUsize),
    /// By mmap(2) of so many bytes at a time.
    Map(NonZeroUsize),
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Measured {
    bytes: u64,
    seconds: f64,
    /// The sum of all words, so that no byte can be left out.
    sum: String,
}

/// Goes through up to `limit` bytes of the dump from `offset` on once, each of `readers` threads
/// through a part of its own.
pub fn measure(
    dump: &Dump,
    method: Method,
    readers: NonZeroUsize,
    offset: u64,
    limit: u64,
) -> Result<Measured, Failure> {
    let bytes = dump.size()?.saturating_sub(offset).min(limit);
    let step = match method {
        Method::Read(step) | Method::Map(step) => step.get() as u64,
    };
    // Parts start at multiples of the step, so that they can be mapped.
    let part = bytes.div_ceil(readers.get() as u64).next_multiple_of(step);
    let start = Instant::now();
    let sums: Result<Vec<u64>, Failure> = thread::scope(|scope| {
        let threads: Vec<_> = (0..readers.get() as u64)
            .map(|number| {
                let from = (number * part).min(bytes);
                let to = (from + part).min(bytes);
                scope.spawn(move || go_through(dump, method, offset + from, offset + to))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Failure::new("a reader has panicked")))
            })
            .collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let sum = sums?.into_iter().fold(0, u64::wrapping_add);
    Ok(Measured {
        bytes,
        seconds,
        sum: format!("{sum:#018x}"),
    })
}

fn go_through(dump: &Dump, method: Method, from: u64, to: u64) -> Result<u64, Failure> {
    let mut sum: u64 = 0;
    let mut offset = from;
    let mut buffer = match method {
        Method::Read(step) => vec![0; step.get()],
        Method::Map(_) => Vec::new(),
    };
    while offset < to {
        let read = match method {
            Method::Read(step) => {
                let len = (to - offset).min(step.get() as u64) as usize;
                let read = dump
                    .read(&mut buffer[..len], offset)
                    .map_err(|errno| Failure::errno("cannot read the dump", errno))?;
                // The copy has touched every byte.
                sum = sum.wrapping_add(words(&buffer[..read.min(8)]));
                read
            }
            Method::Map(step) => {
                let len = (to - offset).min(step.get() as u64) as usize;
                let len = NonZeroUsize::new(len).unwrap_or(NonZeroUsize::MIN);
                let mapping = dump
                    .map(offset, len, MapFlags::MAP_PRIVATE)
                    .map_err(|errno| Failure::errno("cannot map the dump", errno))?;
                sum = sum.wrapping_add(words(mapping.bytes()));
                mapping.bytes().len()
            }
        };
        if read == 0 {
            return Err(Failure::new(format!(
                "the dump ends at {offset:#x} of {to:#x}"
            )));
        }
        offset += read as u64;
    }
    Ok(sum)
}

/// The sum of all 64-bit words of what starts at a multiple of eight.
///
/// Each is loaded by itself, and eight of them in a row: an emulator needs several times as long for
/// vectors, and then the loop is all that is measured.
fn words(bytes: &[u8]) -> u64 {
    // SAFETY: Any bytes make numbers.
    let (_, words, _) = unsafe { bytes.align_to() };
    let lines = words.chunks_exact(8);
    let rest = lines.remainder();
    lines.fold(sum(rest), |total, line| total.wrapping_add(sum(line)))
}

#[inline(always)]
fn sum(words: &[u64]) -> u64 {
    words.iter().fold(0, |sum: u64, word| {
        // SAFETY: A reference can be read through.
        let word = unsafe { ptr::read_volatile(word) };
        sum.wrapping_add(u64::from_le(word))
    })
}
