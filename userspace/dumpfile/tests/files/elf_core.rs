// SPDX-License-Identifier: GPL-2.0

//! The reader of ELF core files.

use std::{
    collections::BTreeMap,
    io::{
        self,
        Write, //
    },
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};

use dumpfile::{
    elf,
    elf_core::{
        ElfCore,
        ElfCoreError,
        Window, //
    },
    memory::{
        MemoryError,
        PhysicalMemory, //
    },
    source::{
        DumpFile,
        Source, //
    }, //
};
use kexec_core::types::elf::{
    Architecture,
    Header,
    ProgramHeader,
    HEADER_LEN,
    PN_XNUM,
    PROGRAM_HEADER_LEN,
    PT_LOAD, //
};
use proptest::prelude::*;

use crate::elf_file::{
    elf_file,
    notes,
    Piece,
    VMCOREINFO, //
};

const PAGE: u64 = 4096;

/// Pieces that may overlap, as that of the kernel's image does: the same address has the same byte.
fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = (0_u64..20_000, 1_usize..9000).prop_map(|(address, len)| Piece {
        address,
        bytes: (address..).take(len).map(byte_at).collect(),
    });
    prop::collection::vec(piece, 0..5)
}

fn byte_at(address: u64) -> u8 {
    ((address * 31) >> 3) as u8
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn memory_is_where_the_headers_say(pieces in pieces()) {
        let core = ElfCore::open(elf_file(Architecture::Arm64, &pieces)).unwrap();
        prop_assert_eq!(core.architecture(), Architecture::Arm64);
        prop_assert_eq!(core.notes(), notes());
        prop_assert_eq!(core.vmcoreinfo(), Some(VMCOREINFO));
        prop_assert_eq!(core.prstatus().collect::<Vec<_>>(), [&[7; 336]]);
        let bytes: BTreeMap<_, _> = pieces
            .iter()
            .flat_map(|piece| (piece.address..).zip(piece.bytes.iter().copied()))
            .collect();
        for address in 0..30_000 {
            match (core.window(address, 3), bytes.get(&address)) {
                (Ok(window), Some(byte)) => {
                    prop_assert!((1..=3).contains(&window.len()));
                    prop_assert_eq!(window[0], *byte);
                }
                (Err(MemoryError::Missing(missing)), None) => prop_assert_eq!(missing, address),
                other => panic!("{address:#x}: {other:?}"),
            }
        }
        let frames = core.frames(PAGE);
        for frame in 0..8 {
            let addresses = frame * PAGE..(frame + 1) * PAGE;
            let there = bytes.range(addresses.clone()).next().is_some();
            prop_assert_eq!(frames.contains(frame), there);
            let mut page = [1; PAGE as usize];
            prop_assert_eq!(core.read_frame(frame * PAGE, &mut page).is_ok(), there);
            let expected = addresses.map(|address| bytes.get(&address).copied().unwrap_or(0));
            prop_assert!(!there || page.into_iter().eq(expected));
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        pieces in pieces(),
        damage in prop::collection::vec((0_usize..600, any::<u8>()), 1..8),
        len in any::<prop::sample::Index>(),
    ) {
        let mut file = elf_file(Architecture::X86_64, &pieces);
        for (at, byte) in damage {
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
        }
        file.truncate(len.index(file.len() + 1));
        if let Ok(core) = ElfCore::open(file) {
            for range in core.ranges().take(9) {
                core.window(range.start, 1 << 20).unwrap();
                core.read(range.start, &mut vec![0; (range.end - range.start) as usize]).unwrap();
            }
        }
    }
}

#[test]
fn a_file_is_mapped_in_windows_and_copied_where_it_is_short() {
    let bytes: Vec<_> = (0..300_000).map(byte_at).collect();
    let piece = Piece {
        address: 0x10_0000,
        bytes: bytes.clone(),
    };
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&elf_file(Architecture::X86_64, &[piece]))
        .unwrap();
    let core = ElfCore::open(DumpFile::new(file.try_clone().unwrap()).unwrap()).unwrap();
    let window = core.window(0x10_0001, 1 << 20).unwrap();
    assert!(matches!(window, Window::Mapped(_)));
    assert_eq!(*window, bytes[1..]);
    let window = core.window(0x10_0000, 100).unwrap();
    assert!(matches!(window, Window::Copied(_)));
    assert_eq!(*window, bytes[..100]);

    let copied = DumpFile::new(file.try_clone().unwrap())
        .unwrap()
        .without_mapping();
    let copied = ElfCore::open(copied).unwrap();
    let window = copied.window(0x10_0000, 1 << 20).unwrap();
    assert!(matches!(window, Window::Copied(_)));
    assert_eq!(*window, bytes);
}

/// A page past the end of a mapped file kills who touches it.
#[test]
fn a_file_that_becomes_shorter_is_an_error_and_no_signal() {
    let piece = Piece {
        address: 0,
        bytes: vec![1; 300_000],
    };
    let contents = elf_file(Architecture::X86_64, &[piece]);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&contents).unwrap();
    let core = ElfCore::open(DumpFile::new(file.try_clone().unwrap()).unwrap()).unwrap();
    file.set_len(100_000).unwrap();
    assert!(matches!(
        core.window(0, 1 << 20),
        Err(MemoryError::Io(0, _))
    ));
    drop(core);

    // What the file lacks when it is opened is missing, and it says how much that is.
    let core = ElfCore::open(DumpFile::new(file).unwrap()).unwrap();
    assert_eq!(core.lost(), contents.len() as u64 - 100_000);
    let there = core.window(0, 1 << 20).unwrap().len() as u64;
    assert_eq!(there, 300_000 - core.lost());
    assert!(matches!(
        core.window(there, 1),
        Err(MemoryError::Missing(_))
    ));
}

/// A file with data at some offsets, and holes. It counts what is read.
struct Sparse {
    data: BTreeMap<u64, Vec<u8>>,
    len: u64,
    read: AtomicU64,
}

impl Source for &Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        for (place, byte) in (offset..).zip(buffer) {
            let data = self.data.range(..=place).next_back();
            let found = data.and_then(|(start, bytes)| bytes.get((place - start) as usize));
            *byte = found.copied().unwrap_or(0);
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        let mut ends = self
            .data
            .iter()
            .filter(|(start, bytes)| **start + bytes.len() > offset);
        ends.next()
            .map_or(self.len, |(start, _)| offset.max(*start))
    }
}

/// As many headers as a file can name, of which all but the last are a hole.
#[test]
fn headers_in_a_hole_take_no_time() {
    const COUNT: u32 = u32::MAX;
    let program_headers = 4096;
    let mut header = Header {
        program_headers_offset: program_headers,
        ..Header::core(Architecture::X86_64.e_machine(), PN_XNUM)
    }
    .encode();
    elf::set_section_header(&mut header, HEADER_LEN as u64);
    let mut first = header.to_vec();
    first.extend(elf::section_header(COUNT));
    let last = program_headers + u64::from(COUNT - 1) * PROGRAM_HEADER_LEN as u64;
    let end = last + PROGRAM_HEADER_LEN as u64;
    let load = ProgramHeader {
        segment_type: PT_LOAD,
        physical_address: 0x10_0000,
        file_len: 3,
        memory_len: 3,
        offset: end,
        ..ProgramHeader::default()
    };
    let file = Sparse {
        data: [
            (0, first),
            (last, load.encode().to_vec()),
            (end, b"abc".to_vec()),
        ]
        .into(),
        len: end + 3,
        read: AtomicU64::new(0),
    };
    let core = ElfCore::open(&file).unwrap();
    assert_eq!(*core.window(0x10_0000, 9).unwrap(), *b"abc");
    assert!(file.read.load(Ordering::Relaxed) < 1 << 20);
}

#[test]
fn what_is_no_core_file_is_refused_with_the_reason() {
    let refused = |change: fn(&mut Vec<u8>)| {
        let mut file = elf_file(Architecture::X86_64, &[]);
        change(&mut file);
        ElfCore::open(file).unwrap_err()
    };
    assert!(matches!(refused(|file| file[4] = 1), ElfCoreError::NotElf));
    assert!(matches!(
        refused(|file| file.truncate(63)),
        ElfCoreError::NotElf
    ));
    assert!(matches!(
        refused(|file| file[16] = 2),
        ElfCoreError::NotCore(2)
    ));
    assert!(matches!(
        refused(|file| file[18] = 3),
        ElfCoreError::Machine(3)
    ));
    assert!(matches!(
        refused(|file| file[54] = 55),
        ElfCoreError::ProgramHeaderLen(55)
    ));
    assert!(matches!(
        refused(|file| file.truncate(HEADER_LEN + PROGRAM_HEADER_LEN - 1)),
        ElfCoreError::ProgramHeadersPastEnd { count: 1, .. }
    ));
    assert!(matches!(
        refused(|file| file.truncate(HEADER_LEN + PROGRAM_HEADER_LEN + 1)),
        ElfCoreError::NotesPastEnd { .. }
    ));
}
