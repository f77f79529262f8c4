// SPDX-License-Identifier: GPL-2.0

//! The dump file: assembled as `/proc/vmcore` serves it, read back with `object`.

mod excluded;
mod large_pages;
mod windows;

use kexec_core::{
    dump::{
        elfcorehdr::{
            encode,
            encoded_len,
            Elfcorehdr,
            Load,
            PHYSICAL_END, //
        },
        vmcore::{
            Layout,
            Source,
            VmcoreError, //
        }, //
    },
    types::{
        elf::Architecture,
        errno::Errno,
        ranges::Range, //
    }, //
};
use object::{
    elf::{
        FileHeader64,
        PT_LOAD,
        PT_NOTE, //
    },
    read::elf::{
        FileHeader as _,
        ProgramHeader as _, //
    },
    LittleEndian as LE, //
};
use proptest::prelude::*;

use crate::fixture::{
    put,
    range, //
};

const PAGE: u64 = 4096;
const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;

/// The crashed machine's memory: every byte tells where it is.
fn memory_at(physical: u64) -> u8 {
    (physical ^ (physical >> 8) ^ (physical >> 16) ^ (physical >> 32)) as u8
}

/// The merged notes; no byte is 0, as the padding is.
fn notes_at(offset: usize) -> u8 {
    offset as u8 | 1
}

fn elfcorehdr(loads: &[Load]) -> Vec<u8> {
    let notes = [range(0x1000, 0x1170), range(0x2000, 0x2170)];
    let mut bytes = vec![0; encoded_len(notes.len(), loads.len())];
    encode(&mut bytes, Architecture::X86_64, &notes, loads).unwrap();
    bytes
}

/// A dump, and how it is made.
struct Dump {
    layout: Layout,
    header: Vec<u8>,
    notes: Vec<u8>,
}

impl Dump {
    fn new(loads: &[Load], notes_len: usize, page_len: u64) -> Self {
        let bytes = elfcorehdr(loads);
        let core = Elfcorehdr::parse(&bytes, Architecture::X86_64).unwrap();
        let layout = Layout::new(&core, notes_len, page_len).unwrap();
        let mut header = vec![0xaa; layout.header_len()];
        assert_eq!(layout.encode_header(&core, &mut header), Ok(header.len()));
        let mut notes: Vec<u8> = (0..notes_len).map(notes_at).collect();
        notes.resize(layout.notes_area_len(), 0);
        Self {
            layout,
            header,
            notes,
        }
    }

    /// Reads up to `len` bytes at `offset`, in steps of at most `step`.
    fn read(&self, mut offset: u64, len: u64, step: u64) -> Vec<u8> {
        let end = (offset + len).min(self.layout.size());
        let mut bytes = Vec::new();
        while offset < end {
            let piece = self.layout.locate(&self.header, offset).unwrap();
            let take = piece.len.min(end - offset).min(step);
            assert!(take > 0);
            match piece.source {
                Source::Header(at) => bytes.extend(&self.header[at..][..take as usize]),
                Source::Notes(at) => bytes.extend(&self.notes[at..][..take as usize]),
                Source::Memory(at) => bytes.extend((at..at + take).map(memory_at)),
            }
            offset += take;
        }
        bytes
    }
}

fn load(start: u64, end: u64) -> Load {
    Load {
        virtual_address: DIRECT_MAP + start,
        memory: range(start, end),
    }
}

/// Checks a whole dump file with `object`.
fn check_with_object(file: &[u8], loads: &[Load], notes_len: usize, page_len: u64) {
    let header = FileHeader64::<LE>::parse(file).unwrap();
    let program_headers = header.program_headers(LE, file).unwrap();
    assert_eq!(program_headers.len(), loads.len() + 1);

    let (note, memory) = program_headers.split_first().unwrap();
    assert_eq!(note.p_type(LE), PT_NOTE);
    let notes: Vec<u8> = (0..notes_len).map(notes_at).collect();
    assert!(note.data(LE, file) == Ok(&notes[..]));

    for (header, load) in memory.iter().zip(loads) {
        assert_eq!(header.p_type(LE), PT_LOAD);
        assert_eq!(header.p_paddr(LE), load.memory.start());
        assert_eq!(header.p_vaddr(LE), load.virtual_address);
        assert_eq!(header.p_memsz(LE), load.memory.len());
        // Pages can be mapped.
        assert_eq!(
            header.p_offset(LE) % page_len,
            load.memory.start() % page_len
        );
        let expected: Vec<u8> = (load.memory.start()..load.memory.end())
            .map(memory_at)
            .collect();
        assert!(
            header.data(LE, file) == Ok(&expected[..]),
            "{}",
            load.memory
        );
    }
}

#[test]
fn object_finds_memory_where_the_headers_say() {
    let loads = [
        Load {
            virtual_address: 0xffff_ffff_8100_0000,
            memory: range(0x10_0000, 0x10_8000),
        },
        load(0x1000, 0x9_fc00),
        load(0x10_0123, 0x12_0001),
        load(0x1_0000_0000, 0x1_0000_1000),
    ];
    for page_len in [PAGE, 16 << 10, 64 << 10] {
        for notes_len in [0, 1, 1000, 4096, 4097] {
            let dump = Dump::new(&loads, notes_len, page_len);
            let file = dump.read(0, u64::MAX / 2, u64::MAX);
            assert_eq!(file.len() as u64, dump.layout.size());
            assert_eq!(file.len() as u64 % page_len, 0);
            check_with_object(&file, &loads, notes_len, page_len);
        }
    }
}

#[test]
fn parts_meet_at_page_boundaries_and_the_file_ends() {
    let dump = Dump::new(
        &[load(0x1_0800, 0x1_2800), load(0x2_0000, 0x2_1000)],
        100,
        PAGE,
    );
    let locate = |offset| {
        dump.layout
            .locate(&dump.header, offset)
            .map(|piece| (piece.source, piece.len))
    };
    assert_eq!(dump.layout.size(), 6 * PAGE);
    assert_eq!(locate(0), Some((Source::Header(0), PAGE)));
    assert_eq!(locate(PAGE - 1), Some((Source::Header(4095), 1)));
    assert_eq!(locate(PAGE), Some((Source::Notes(0), PAGE)));
    assert_eq!(locate(2 * PAGE - 1), Some((Source::Notes(4095), 1)));
    // The whole page that the piece starts in.
    assert_eq!(locate(2 * PAGE), Some((Source::Memory(0x1_0000), 3 * PAGE)));
    assert_eq!(locate(5 * PAGE - 1), Some((Source::Memory(0x1_2fff), 1)));
    assert_eq!(locate(5 * PAGE), Some((Source::Memory(0x2_0000), PAGE)));
    assert_eq!(locate(6 * PAGE - 1), Some((Source::Memory(0x2_0fff), 1)));
    assert_eq!(locate(6 * PAGE), None);
    assert_eq!(locate(u64::MAX), None);
}

#[test]
fn a_dump_can_have_no_memory() {
    let dump = Dump::new(&[], 10, PAGE);
    assert_eq!(dump.layout.size(), 2 * PAGE);
    assert_eq!(dump.layout.locate(&dump.header, 2 * PAGE), None);
}

#[test]
fn an_empty_piece_of_memory_takes_no_room() {
    let loads = [
        load(0x1000, 0x2000),
        load(0x5000, 0x5000),
        load(0x8000, 0x9000),
    ];
    let dump = Dump::new(&loads, 10, PAGE);
    let file = dump.read(0, u64::MAX / 2, 100);
    check_with_object(&file, &loads, 10, PAGE);
}

#[test]
fn a_buffer_without_room_is_refused() {
    let bytes = elfcorehdr(&[load(0x1000, 0x2000)]);
    let core = Elfcorehdr::parse(&bytes, Architecture::X86_64).unwrap();
    let layout = Layout::new(&core, 10, PAGE).unwrap();
    let error = layout.encode_header(&core, &mut [0; 4095]).unwrap_err();
    assert_eq!(
        error,
        VmcoreError::Buffer {
            needed: 4096,
            len: 4095
        }
    );
    assert_eq!(error.errno(), Errno::NoMem);
}

#[test]
fn a_dump_longer_than_a_file_is_refused() {
    // Virtual addresses are disjoint, the same physical memory is meant often enough.
    let loads: Vec<Load> = (0..2048)
        .map(|n| Load {
            virtual_address: n * PHYSICAL_END,
            memory: range(0, PHYSICAL_END),
        })
        .collect();
    let bytes = elfcorehdr(&loads);
    let core = Elfcorehdr::parse(&bytes, Architecture::X86_64).unwrap();
    assert_eq!(Layout::new(&core, 10, PAGE), Err(VmcoreError::TooLong));

    let bytes = elfcorehdr(&loads[..2047]);
    let core = Elfcorehdr::parse(&bytes, Architecture::X86_64).unwrap();
    assert!(Layout::new(&core, 10, PAGE).is_ok());
    assert_eq!(
        Layout::new(&core, usize::MAX, PAGE),
        Err(VmcoreError::TooLong)
    );
}

fn some_loads() -> impl Strategy<Value = Vec<Load>> {
    prop::collection::vec((0..0x3000_u64, 0..0x4000_u64), 0..6).prop_map(|gaps| {
        let mut next = 0;
        gaps.into_iter()
            .map(|(gap, len)| {
                let start = next + gap;
                next = start + len;
                load(start, next)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn a_dump_reads_the_same_in_any_steps(
        loads in some_loads(),
        notes_len in 0..9000_usize,
        step in 1..9000_u64,
        from in 0..0x2_0000_u64,
        len in 0..0x8000_u64,
        page_shift in 12..17,
    ) {
        let page_len = 1_u64 << page_shift;
        let dump = Dump::new(&loads, notes_len, page_len);
        let file = dump.read(0, u64::MAX / 2, u64::MAX);
        prop_assert_eq!(file.len() as u64, dump.layout.size());
        check_with_object(&file, &loads, notes_len, page_len);

        let from = from.min(dump.layout.size());
        let part = dump.read(from, len, step);
        prop_assert!(part == file[from as usize..][..part.len()]);
    }

    /// Reading is total even where the headers were overwritten in memory.
    #[test]
    fn any_headers_can_be_searched(
        loads in some_loads(),
        changes in prop::collection::vec((0_usize..512, any::<[u8; 8]>()), 0..8),
        offset: u64,
        near in 0..0x2_0000_u64,
    ) {
        let mut dump = Dump::new(&loads, 100, PAGE);
        for (offset, bytes) in changes {
            put(&mut dump.header, offset, &bytes);
        }
        for offset in [offset, near] {
            if let Some(piece) = dump.layout.locate(&dump.header, offset) {
                prop_assert!(piece.len > 0);
                if let Source::Memory(physical) = piece.source {
                    prop_assert!(Range::from_start_len(physical, piece.len).is_some());
                }
            }
        }
        dump.header.clear();
        if near >= 2 * PAGE {
            prop_assert_eq!(dump.layout.locate(&dump.header, near), None);
        }
    }
}
