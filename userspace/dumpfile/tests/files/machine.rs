// SPDX-License-Identifier: GPL-2.0

//! Machines with pages of many kinds, and threads that write them.

use std::{
    io,
    sync::Mutex,
    thread, //
};

use dumpfile::{
    elf_core::ElfCore,
    frames::Frames,
    order::{
        chunks,
        runs,
        Run, //
    }, //
};
use kexec_core::types::elf::Architecture;
use proptest::prelude::*;

use crate::elf_file::{
    elf_file,
    Piece, //
};

pub const PAGE: usize = 4096;

/// A machine, and which of its frames are kept.
#[derive(Debug)]
pub struct Machine {
    pub core: ElfCore<Vec<u8>>,
    pub memory: Frames,
    pub kept: Frames,
}

impl Machine {
    /// Each run of frames has pages of one kind after the other.
    pub fn new(runs: &[(u64, Vec<u8>)], kept: Frames) -> Self {
        let pieces: Vec<_> = runs
            .iter()
            .map(|(frame, kinds)| Piece {
                address: frame * PAGE as u64,
                bytes: (*frame..)
                    .zip(kinds)
                    .flat_map(|(frame, kind)| page(frame, *kind))
                    .collect(),
            })
            .collect();
        let core = ElfCore::open(elf_file(Architecture::X86_64, &pieces)).unwrap();
        let memory = core.frames(PAGE as u64);
        Self {
            core,
            kept: kept.and(&memory),
            memory,
        }
    }
}

/// A page of a kind: zeros, poison, text, or what cannot be compressed.
pub fn page(frame: u64, kind: u8) -> Vec<u8> {
    let mut noise = frame * 0x9e37_79b9 + 1;
    let mut next = || {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        noise as u8
    };
    match kind % 6 {
        0 => vec![0; PAGE],
        1 => vec![0x6b; PAGE],
        2 => [frame as u8, 1, 2, 3, 4, 5, 6, 7].repeat(PAGE / 8),
        3 => (0..PAGE).map(|_| next()).collect(),
        4 => (0..PAGE)
            .map(|at| if at % 5 == 0 { next() } else { b'k' })
            .collect(),
        _ => (0..PAGE).map(|at| (at / 7) as u8).collect(),
    }
}

/// Machines of some hundred frames.
pub fn machines() -> impl Strategy<Value = Machine> {
    let gap_and_pages = (0_u64..300, prop::collection::vec(any::<u8>(), 1..60));
    let kept = prop::collection::vec((0_u64..900, 0_u64..200), 1..12);
    (prop::collection::vec(gap_and_pages, 1..6), kept).prop_map(|(pieces, kept)| {
        let mut frame = 0;
        let mut runs = Vec::new();
        for (gap, pages) in pieces {
            frame += gap;
            let len = pages.len() as u64;
            runs.push((frame, pages));
            frame += len;
        }
        Machine::new(
            &runs,
            kept.into_iter().map(|(at, len)| at..at + len).collect(),
        )
    })
}

/// Lets threads work on the pieces of some frames, each of which takes the next when it is done.
pub fn work<W: Send>(
    kept: &Frames,
    subset: &Frames,
    workers: Vec<W>,
    work: impl Fn(&mut W, &[Run]) -> io::Result<()> + Sync,
    end: impl Fn(&mut W) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let pieces = Mutex::new(chunks(runs(kept, subset)));
    thread::scope(|scope| {
        let threads: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                let (pieces, work, end) = (&pieces, &work, &end);
                scope.spawn(move || {
                    loop {
                        let Some(piece) = pieces.lock().unwrap().next() else {
                            break;
                        };
                        work(&mut worker, &piece)?;
                    }
                    end(&mut worker)
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap())
    })
}
