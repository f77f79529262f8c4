// SPDX-License-Identifier: GPL-2.0

//! Targets for the files that hold a dump. They may have been damaged, or be made to do damage.

use std::io;

use dumpfile::{
    codec::Decompressor,
    elf_core::ElfCore,
    flattened::{
        reader::FlattenedFile,
        HEADER_LEN, //
    },
    kdump::reader::KdumpFile,
    memory::PhysicalMemory,
    source::Source,
    target::Target, //
};
use kexec_core::dump::{
    elfcorehdr::NOTES_TOTAL_MAX,
    kdump_compressed::layout::{
        DISK_DUMP_HEADER_LEN,
        KDUMP_SUB_HEADER_LEN, //
    }, //
};

/// Pieces and pages that are read of a file.
const PIECES: usize = 64;

/// An ELF core.
pub fn elf_core(input: &[u8]) {
    read_elf_core(input);
}

fn read_elf_core(source: impl Source) {
    let Ok(core) = ElfCore::open(source) else {
        return;
    };
    assert!(core.notes().len() as u64 <= NOTES_TOTAL_MAX);
    assert!(core
        .vmcoreinfo()
        .is_none_or(|text| text.len() < core.notes().len()));
    let _ = core.prstatus().count();
    let mut last = 0;
    for range in core.ranges().take(PIECES) {
        assert!(last <= range.start && range.start < range.end);
        last = range.end;
        let window = core.window(range.start, 1 << 20).expect("the file has it");
        assert!(!window.is_empty() && window.len() as u64 <= range.end - range.start);
        let mut frame = [0; 4096];
        let _ = core.read_frame(range.start & !4095, &mut frame);
        let _ = core.read(range.end, &mut frame);
    }
    for page_len in [1 << 12, 1 << 14, 1 << 16] {
        let frames = core.frames(page_len);
        for range in core.ranges().take(PIECES) {
            assert!(frames.contains(range.start / page_len));
        }
    }
}

/// A kdump-compressed file, as [`unpack`] makes it of the input.
pub fn compressed_file(input: &[u8]) {
    read_kdump(unpack(input));
}

fn read_kdump(source: impl Source) {
    let Ok(file) = KdumpFile::open(source) else {
        return;
    };
    let _ = (file.vmcoreinfo(), file.prstatus().count());
    let (memory, kept) = (
        file.memory().expect("it is there"),
        file.kept().expect("it is there"),
    );
    let end = file.sub_header().frames_end;
    assert!(memory.runs().chain(kept.runs()).all(|run| run.end <= end));
    let mut page = vec![0; file.page_len() as usize];
    let mut decompressor = Decompressor::default();
    for frame in kept.runs().flatten().take(PIECES) {
        let read = file.page(frame, &mut page, &mut decompressor);
        let window = file.window(frame.saturating_mul(file.page_len()), page.len());
        match (read, window) {
            (Ok(()), Ok(window)) => assert!(*window == page[..]),
            (Err(_), Err(_)) => {}
            (read, window) => panic!("{frame:#x}: {read:?} and {}", window.is_ok()),
        }
    }
    for frame in [0, end, u64::MAX] {
        let _ = file.page(frame, &mut page, &mut decompressor);
    }
}

/// A file of some blocks from an input of some bytes: both headers, each at its place, and then pieces,
/// each after its place in units of 16 bytes and its length.
fn unpack(mut input: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 4096 + KDUMP_SUB_HEADER_LEN];
    for (at, len) in [(0, DISK_DUMP_HEADER_LEN), (4096, KDUMP_SUB_HEADER_LEN)] {
        let (now, rest) = input.split_at(input.len().min(len));
        file[at..at + now.len()].copy_from_slice(now);
        input = rest;
    }
    while let [low, high, len, rest @ ..] = input {
        let at = 16 * usize::from(u16::from_le_bytes([*low, *high]));
        let (now, rest) = rest.split_at(rest.len().min(usize::from(*len) + 1));
        if file.len() < at + now.len() {
            file.resize(at + now.len(), 0);
        }
        file[at..at + now.len()].copy_from_slice(now);
        input = rest;
    }
    file
}

/// A flattened file, whatever it was made of. The input has no filling between header and records.
pub fn flattened(input: &[u8]) {
    let (header, records) = input.split_at(input.len().min(32));
    let mut bytes = header.to_vec();
    if !records.is_empty() {
        bytes.resize(HEADER_LEN, 0);
        bytes.extend(records);
    }
    let _ = FlattenedFile::is_flattened(&bytes);
    let Ok(file) = FlattenedFile::open(bytes) else {
        return;
    };
    let written = Bounds { end: file.len() };
    file.reassemble(&written).expect("each record is there");
    let mut at = 0;
    let mut bytes = [1; 100];
    for _ in 0..PIECES {
        let data = file.next_data(at);
        assert!(at <= data);
        if data >= file.len() {
            break;
        }
        let len = bytes.len().min((file.len() - data) as usize);
        file.read_exact_at(&mut bytes[..len], data)
            .expect("it is there");
        at = data + len as u64;
    }
    assert!(file.read_exact_at(&mut [0], file.len()).is_err());
    read_elf_core(&file);
    read_kdump(&file);
}

/// A target that has an end.
struct Bounds {
    end: u64,
}

impl Target for Bounds {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        assert!(!bytes.is_empty() && offset + bytes.len() as u64 <= self.end);
        Ok(())
    }

    fn clear(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
