// SPDX-License-Identifier: GPL-2.0

//! A dump of a small machine: an ELF core as a capture kernel serves it, whose VMCOREINFO does not say what pages
//! are for, so that all of them are kept.

use std::path::{
    Path,
    PathBuf, //
};

use dumpfile::{
    elf_core::ElfCore,
    kdump::reader::KdumpFile,
    memory::PhysicalMemory,
    source::DumpFile, //
};

const PAGE: usize = 4096;

const VMCOREINFO: &str = "OSRELEASE=7.3.4-test\nPAGESIZE=4096\nCRASHTIME=1795797506\n";

/// Where the machine's memory begins.
pub const START: u64 = 0x10_0000;

/// A dump in a file.
pub struct Core {
    pub path: PathBuf,
    pub memory: Vec<u8>,
}

impl Core {
    /// A machine with so many pages: zeros, text, and what cannot be compressed, by turns.
    pub fn new(directory: &Path, pages: usize) -> Self {
        let mut memory = vec![0; pages * PAGE];
        let mut state = 1_u64;
        for (number, page) in memory.chunks_exact_mut(PAGE).enumerate() {
            for (at, byte) in page.iter_mut().enumerate() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte = match number % 8 {
                    0 | 1 => 0,
                    2..=6 => {
                        b"what a kernel has in its memory "[at * (number % 7 + 1) % 32]
                            ^ (state as u8 & 1)
                    }
                    _ => state as u8,
                };
            }
        }
        let path = directory.join("vmcore");
        std::fs::write(&path, file(&memory)).expect("the dump can be written");
        Self { path, memory }
    }

    /// Whether a saved dump is complete, and how many of its pages are there. All that are have to be right.
    pub fn check(&self, dump: &Path) -> (bool, usize) {
        let file = DumpFile::open(dump).expect("there is a dump");
        let file = KdumpFile::open(file).expect("it can be opened");
        let mut page = vec![0; PAGE];
        let mut found = 0;
        for (number, expected) in self.memory.chunks_exact(PAGE).enumerate() {
            let address = START + (number * PAGE) as u64;
            if file.read(address, &mut page).is_ok() {
                assert_eq!(page, expected, "page {number} of {}", dump.display());
                found += 1;
            }
        }
        (!file.is_incomplete(), found)
    }

    /// The same of an ELF core.
    pub fn check_elf(&self, dump: &Path) -> (bool, usize) {
        let file = DumpFile::open(dump).expect("there is a dump");
        let file = ElfCore::open(file).expect("it can be opened");
        let mut memory = vec![0; self.memory.len()];
        let found = file.read(START, &mut memory).map_or(0, |()| self.pages());
        assert!(found == 0 || memory == self.memory, "{}", dump.display());
        (!file.is_incomplete(), found)
    }

    /// The number of pages.
    pub fn pages(&self) -> usize {
        self.memory.len() / PAGE
    }
}

/// The ELF core with this memory.
fn file(memory: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for number in [11, VMCOREINFO.len() as u32, 0] {
        note.extend(number.to_le_bytes());
    }
    note.extend(b"VMCOREINFO\0\0");
    note.extend(VMCOREINFO.as_bytes());
    note.resize(note.len().next_multiple_of(4), 0);

    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(16, 0);
    // A core of x86_64.
    file.extend([4, 0, 62, 0, 1, 0, 0, 0]);
    for number in [0_u64, 64, 0] {
        file.extend(number.to_le_bytes());
    }
    // Flags, and the lengths and numbers of headers.
    file.extend([0; 4]);
    for number in [64_u16, 56, 2, 0, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    let mut header = |kind: u32, offset: u64, start: u64, len: u64| {
        file.extend(kind.to_le_bytes());
        file.extend([0; 4]);
        for number in [offset, 0, start, len, len, 0] {
            file.extend(number.to_le_bytes());
        }
    };
    header(4, PAGE as u64, 0, note.len() as u64);
    header(1, 2 * PAGE as u64, START, memory.len() as u64);
    file.resize(PAGE, 0);
    file.extend(note);
    file.resize(2 * PAGE, 0);
    file.extend(memory);
    file
}
