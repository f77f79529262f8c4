// SPDX-License-Identifier: GPL-2.0

//! The ELF core header, compared with what `object` reads from it.

mod cases;
mod slots;

use kexec_core::dump::elfcorehdr::{
    encode, encoded_len, Elfcorehdr, ElfcorehdrError, Load, NOTES_LEN_MAX, PHYSICAL_END,
    PROGRAM_HEADERS_MAX,
};
use kexec_core::types::elf::{Architecture, HEADER_LEN, PROGRAM_HEADER_LEN};
use kexec_core::types::errno::Errno;
use kexec_core::types::ranges::Range;
use object::elf::{FileHeader64, ET_CORE, PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::LittleEndian as LE;
use proptest::prelude::*;

use crate::fixture::{put, range, MIB};

const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;

fn load(virtual_address: u64, start: u64, end: u64) -> Load {
    Load {
        virtual_address,
        memory: range(start, end),
    }
}

/// What a small machine leaves: two CPUs, VMCOREINFO, the kernel's text, and two pieces of RAM.
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
fn a_header_cut_anywhere_is_refused() {
    let bytes = small_encoded();
    for len in 0..bytes.len() {
        let needed = if len < 64 { 64 } else { bytes.len() };
        assert_eq!(
            parse(&bytes[..len]).unwrap_err(),
            ElfcorehdrError::Truncated { needed, len }
        );
    }
}

#[test]
fn text_may_be_a_part_of_ram_but_virtual_addresses_are_unambiguous() {
    let note = [range(0x1000, 0x1170)];
    let refused = |loads: &[Load]| {
        parse(&encoded(Architecture::X86_64, &note, loads))
            .err()
            .map(|error| match error {
                ElfcorehdrError::VirtualAddress { index, .. } => index,
                other => panic!("{other}"),
            })
    };
    let text = load(0x10_0000, 0, 0x1_0000);
    let cases = [
        ("text above RAM", vec![text, load(0x1000, 0, 0x1000)], None),
        (
            "text below RAM",
            vec![text, load(0x20_0000, 0, 0x1000)],
            None,
        ),
        (
            "text between RAM",
            vec![text, load(0x1000, 0, 1), load(0x20_0000, 0, 1)],
            None,
        ),
        (
            "RAM without a gap",
            vec![text, load(0, 0, 0x1000), load(0x1000, 0, 0x1000)],
            None,
        ),
        (
            "RAM that shares a byte",
            vec![text, load(0, 0, 0x1001), load(0x1000, 0, 1)],
            Some(3),
        ),
        (
            "RAM out of order",
            vec![text, load(0x2000, 0, 1), load(0x1000, 0, 1)],
            Some(3),
        ),
        (
            "a byte of text at its end",
            vec![text, load(0x10_ffff, 0, 1)],
            Some(2),
        ),
        (
            "a byte of text at its start",
            vec![text, load(0xf_0000, 0, 0x1_0001)],
            Some(2),
        ),
        (
            "just below text",
            vec![text, load(0xf_0000, 0, 0x1_0000)],
            None,
        ),
        ("just above text", vec![text, load(0x11_0000, 0, 1)], None),
        (
            "text within RAM",
            vec![text, load(0, 0, 0x100_0000)],
            Some(2),
        ),
        (
            "an empty piece",
            vec![text, load(0x10_1000, 0, 0), load(0x1000, 0, 1)],
            None,
        ),
        (
            "up to the last address",
            vec![load(u64::MAX - 0xfff, 0, 0x1000)],
            None,
        ),
        (
            "beyond the last address",
            vec![load(u64::MAX - 0xffe, 0, 0x1000)],
            Some(1),
        ),
    ];
    for (name, loads, expected) in cases {
        assert_eq!(refused(&loads), expected, "{name}");
    }
}

/// Every refusal, by what has to be written where into a good header to get it.
#[test]
fn a_header_that_was_overwritten_is_refused() {
    let cases: &[(usize, &[u8], ElfcorehdrError)] = &[
        (
            0,
            &[0],
            ElfcorehdrError::Ident {
                found: [0, b'E', b'L', b'F', 2, 1, 1],
            },
        ),
        (
            4,
            &[1],
            ElfcorehdrError::Ident {
                found: [0x7f, b'E', b'L', b'F', 1, 1, 1],
            },
        ),
        (16, &[2], ElfcorehdrError::Type { found: 2 }),
        (
            18,
            &[183],
            ElfcorehdrError::Architecture {
                found: 183,
                expected: Architecture::X86_64,
            },
        ),
        (
            32,
            &[65],
            ElfcorehdrError::ProgramHeaders {
                offset: 65,
                len: 56,
            },
        ),
        (
            54,
            &[32],
            ElfcorehdrError::ProgramHeaders {
                offset: 64,
                len: 32,
            },
        ),
        (56, &[0xff; 2], ElfcorehdrError::TooMany { count: 0xffff }),
        (56, &[0; 2], ElfcorehdrError::NoNotes),
        (
            field(0, 0),
            &[6],
            ElfcorehdrError::UnexpectedType { index: 0, found: 6 },
        ),
        (
            field(3, 0),
            &[2],
            ElfcorehdrError::UnexpectedType { index: 3, found: 2 },
        ),
        // A note behind memory.
        (
            field(4, 0),
            &[4],
            ElfcorehdrError::UnexpectedType { index: 4, found: 4 },
        ),
        (
            field(1, 24),
            &[1],
            ElfcorehdrError::OffsetNotAddress {
                index: 1,
                offset: 0x7fd1_1d00,
                physical_address: 0x7fd1_1d01,
            },
        ),
        (
            field(0, 40),
            &(NOTES_LEN_MAX + 1).to_le_bytes(),
            ElfcorehdrError::Extent {
                index: 0,
                offset: 0x7fc1_1d00,
                file_len: 0x170,
                memory_len: NOTES_LEN_MAX + 1,
            },
        ),
        (
            field(4, 32),
            &u64::MAX.to_le_bytes(),
            ElfcorehdrError::Extent {
                index: 4,
                offset: 0x1000,
                file_len: u64::MAX,
                memory_len: 0x9_ec00,
            },
        ),
        (
            field(4, 40),
            &u64::MAX.to_le_bytes(),
            ElfcorehdrError::Extent {
                index: 4,
                offset: 0x1000,
                file_len: 0x9_ec00,
                memory_len: u64::MAX,
            },
        ),
        (
            field(4, 40),
            &PHYSICAL_END.to_le_bytes(),
            ElfcorehdrError::Extent {
                index: 4,
                offset: 0x1000,
                file_len: 0x9_ec00,
                memory_len: PHYSICAL_END,
            },
        ),
    ];
    for (offset, field, expected) in cases {
        let mut bytes = small_encoded();
        put(&mut bytes, *offset, field);
        let error = parse(&bytes).expect_err(&expected.to_string());
        assert_eq!(error, *expected);
        assert_eq!(error.errno(), Errno::Inval);
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let (notes, loads) = small();
    let needed = encoded_len(notes.len(), loads.len());
    let error = encode(
        &mut vec![0; needed - 1],
        Architecture::X86_64,
        &notes,
        &loads,
    )
    .unwrap_err();
    let len = needed - 1;
    assert_eq!(error, ElfcorehdrError::Buffer { needed, len });
    assert_eq!(error.errno(), Errno::NoMem);

    let many = vec![notes[0]; PROGRAM_HEADERS_MAX + 1];
    let mut out = vec![0; encoded_len(many.len(), 0)];
    assert_eq!(
        encode(&mut out, Architecture::X86_64, &many, &[]),
        Err(ElfcorehdrError::TooMany {
            count: PROGRAM_HEADERS_MAX + 1
        })
    );
    assert!(encode(&mut out, Architecture::X86_64, &many[1..], &[]).is_ok());
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
