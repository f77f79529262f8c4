// SPDX-License-Identifier: GPL-2.0

//! Headers that are refused, and headers that cannot be written.

use kexec_core::{
    dump::elfcorehdr::{
        encode,
        encoded_len,
        ElfcorehdrError,
        Load,
        NOTES_LEN_MAX,
        PHYSICAL_END,
        PROGRAM_HEADERS_MAX, //
    },
    types::{
        elf::Architecture,
        errno::Errno, //
    }, //
};

use super::{
    encoded,
    field,
    load,
    parse,
    small,
    small_encoded, //
};
use crate::fixture::{
    put,
    range, //
};

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

/// Every refusal, with the bytes that have to be written into a good header to get it.
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
        // A note after memory.
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
