// SPDX-License-Identifier: GPL-2.0

//! The elfcorehdr, compared with the values that `object` reads.

mod cases;
mod refusals;
mod slots;

use kexec_core::{
    dump::elfcorehdr::{
        encode,
        encoded_len,
        Elfcorehdr,
        ElfcorehdrError,
        Load,
        NOTES_LEN_MAX,
        PHYSICAL_END,
        PROGRAM_HEADERS_MAX, //
    },
    types::{
        elf::{
            Architecture,
            HEADER_LEN,
            PROGRAM_HEADER_LEN, //
        },
        ranges::Range, //
    }, //
};
use object::{
    elf::{
        FileHeader64,
        ET_CORE,
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
    range,
    MIB, //
};

const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;

fn load(virtual_address: u64, start: u64, end: u64) -> Load {
    Load {
        virtual_address,
        memory: range(start, end),
    }
}

/// The elfcorehdr of a small machine: two CPUs, VMCOREINFO, the kernel's text, and two pieces of
/// RAM.
fn small() -> (Vec<Range>, Vec<Load>) {
    let notes = vec![
        range(0x7fc1_1d00, 0x7fc1_1e70),
        range(0x7fd1_1d00, 0x7fd1_1e70),
        range(0x0123_4000, 0x0123_5024),
    ];
    let loads = vec![
        load(0xffff_ffff_8100_0000, 0x100_0000, 0x3a0_0000),
        load(DIRECT_MAP + 0x1000, 0x1000, 0x9_fc00),
        load(DIRECT_MAP + MIB, MIB, 0x7ffd_c000),
    ];
    (notes, loads)
}

fn encoded(architecture: Architecture, notes: &[Range], loads: &[Load]) -> Vec<u8> {
    let mut bytes = vec![0xaa; encoded_len(notes.len(), loads.len())];
    assert_eq!(
        encode(&mut bytes, architecture, notes, loads),
        Ok(bytes.len())
    );
    bytes
}

fn small_encoded() -> Vec<u8> {
    let (notes, loads) = small();
    encoded(Architecture::X86_64, &notes, &loads)
}

/// Where a program header's field is.
fn field(index: usize, offset: usize) -> usize {
    HEADER_LEN + index * PROGRAM_HEADER_LEN + offset
}

fn compare_with_object(bytes: &[u8], machine: u16, notes: &[Range], loads: &[Load]) {
    let header = FileHeader64::<LE>::parse(bytes).unwrap();
    assert_eq!(header.endian().unwrap(), LE);
    assert_eq!(header.e_type.get(LE), ET_CORE);
    assert_eq!(header.e_machine.get(LE).0, machine);
    assert_eq!(header.e_version.get(LE), 1);
    assert_eq!(usize::from(header.e_ehsize.get(LE)), HEADER_LEN);
    let program_headers = header.program_headers(LE, bytes).unwrap();
    assert_eq!(program_headers.len(), notes.len() + loads.len());

    let (note_headers, load_headers) = program_headers.split_at(notes.len());
    for (header, memory) in note_headers.iter().zip(notes) {
        assert_eq!(header.p_type(LE), PT_NOTE);
        assert_eq!(header.p_offset(LE), memory.start());
        assert_eq!(header.p_paddr(LE), memory.start());
        assert_eq!(header.p_filesz(LE), memory.len());
        assert_eq!(header.p_memsz(LE), memory.len());
    }
    for (header, load) in load_headers.iter().zip(loads) {
        assert_eq!(header.p_type(LE), PT_LOAD);
        assert_eq!(header.p_flags(LE).0, 7);
        assert_eq!(header.p_offset(LE), load.memory.start());
        assert_eq!(header.p_paddr(LE), load.memory.start());
        assert_eq!(header.p_vaddr(LE), load.virtual_address);
        assert_eq!(header.p_filesz(LE), load.memory.len());
        assert_eq!(header.p_memsz(LE), load.memory.len());
    }
}

fn parse(bytes: &[u8]) -> Result<Elfcorehdr<'_>, ElfcorehdrError> {
    Elfcorehdr::parse(bytes, Architecture::X86_64)
}

#[test]
fn object_reads_what_was_written() {
    let (notes, loads) = small();
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let bytes = encoded(architecture, &notes, &loads);
        compare_with_object(&bytes, architecture.e_machine(), &notes, &loads);
    }
}

#[test]
fn a_header_is_read_back_in_two_steps() {
    let (notes, loads) = small();
    let mut bytes = small_encoded();
    let len = bytes.len();
    bytes.extend([0xaa; 100]);

    assert_eq!(Elfcorehdr::total_len(&bytes[..64]), Ok(len));
    let core = parse(&bytes[..len]).unwrap();
    assert_eq!(core.architecture(), Architecture::X86_64);
    assert_eq!(core.notes().collect::<Vec<_>>(), notes);
    assert_eq!(core.loads().collect::<Vec<_>>(), loads);
    assert_eq!((core.notes_count(), core.loads_count()), (3, 3));
    assert!(parse(&bytes).is_ok());
}

#[test]
fn as_many_pieces_as_possible_are_read() {
    let count = (PROGRAM_HEADERS_MAX - 1) as u64;
    let loads: Vec<Load> = (0..count)
        .map(|n| load(DIRECT_MAP + n * 0x2000, n * 0x2000, n * 0x2000 + 0x1000))
        .collect();
    let bytes = encoded(Architecture::X86_64, &[range(0, 0x170)], &loads);
    assert_eq!(parse(&bytes).unwrap().loads().collect::<Vec<_>>(), loads);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(
        notes in prop::collection::vec((0..PHYSICAL_END - NOTES_LEN_MAX, 0..NOTES_LEN_MAX), 1..6),
        gaps in prop::collection::vec((0..0x1_0000_0000_u64, 1..0x1_0000_0000_u64), 0..8),
    ) {
        let notes: Vec<Range> = notes.iter().map(|(start, len)| range(*start, start + len)).collect();
        let mut next = 0;
        let loads: Vec<Load> = gaps
            .iter()
            .map(|(gap, len)| {
                let start = next + gap;
                next = start + len;
                load(DIRECT_MAP + start, start, next)
            })
            .collect();
        let bytes = encoded(Architecture::Arm64, &notes, &loads);
        compare_with_object(&bytes, 183, &notes, &loads);
        let core = Elfcorehdr::parse(&bytes, Architecture::Arm64).unwrap();
        prop_assert_eq!(core.notes().collect::<Vec<_>>(), notes);
        prop_assert_eq!(core.loads().collect::<Vec<_>>(), loads);
    }

    /// A crashed kernel can leave anything.
    #[test]
    fn an_accepted_header_is_within_bounds(
        changes in prop::collection::vec((0_usize..64 + 6 * 56, any::<u8>()), 0..8),
    ) {
        let mut bytes = small_encoded();
        for (offset, byte) in changes {
            bytes[offset] = byte;
        }
        let _ = Elfcorehdr::total_len(&bytes);
        if let Ok(core) = parse(&bytes) {
            prop_assert!(core.notes().all(|notes| notes.len() <= NOTES_LEN_MAX));
            prop_assert!(core.loads().all(|load| load.memory.end() <= PHYSICAL_END));
            prop_assert_eq!(core.notes().count(), core.notes_count());
            prop_assert_eq!(core.loads().count(), core.loads_count());
        }
    }
}
