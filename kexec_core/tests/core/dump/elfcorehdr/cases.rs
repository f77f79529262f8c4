// SPDX-License-Identifier: GPL-2.0

//! elfcorehdrs that no kernel would write, through all that the module does with one before it
//! serves a dump: each is refused with a sentence that tells the field, or gives a file that can be
//! read to its end.

mod changes;
mod notes;

use changes::{
    piece,
    Change,
    ALIGN,
    FILESZ,
    FLAGS,
    LAST,
    LOAD,
    MEMSZ,
    NOTE,
    OFFSET,
    PADDR,
    RAM,
    TYPE,
    VADDR, //
};
use kexec_core::{
    dump::{
        elfcorehdr::{
            encode,
            encoded_len,
            Elfcorehdr,
            Load,
            NOTES_LEN_MAX,
            PHYSICAL_END, //
        },
        vmcore::{
            excluded::Excluded,
            Layout,
            Wanted, //
        }, //
    },
    error::Error,
    types::{
        elf::{
            Architecture,
            HEADER_LEN, //
        },
        errno::Errno,
        ranges::PAGE_SIZE, //
    }, //
};
use Change::{
    Byte,
    Cut,
    Field,
    Fill,
    Half,
    Word, //
};

use crate::fixture::{
    range,
    MIB, //
};

const DIRECT_MAP: u64 = 0xffff_8880_0000_0000;
const TEXT: u64 = 0xffff_ffff_8100_0000;

fn good() -> Vec<u8> {
    let notes = [
        range(0x7fc1_1d00, 0x7fc1_1e70),
        range(0x7fd1_1d00, 0x7fd1_1e70),
        range(0x0123_4000, 0x0123_5024),
    ];
    let load = |virtual_address, memory| Load {
        virtual_address,
        memory,
    };
    let loads = [
        load(TEXT, range(0x100_0000, 0x3a0_0000)),
        load(DIRECT_MAP + 0x1000, range(0x1000, 0x9_fc00)),
        load(DIRECT_MAP + MIB, range(MIB, 0x7ffd_c000)),
    ];
    let mut bytes = vec![0; encoded_len(notes.len(), loads.len())];
    encode(&mut bytes, Architecture::X86_64, &notes, &loads).unwrap();
    bytes
}

/// The module's steps from the bytes at `elfcorehdr=` to the dump file.
fn serve(bytes: &[u8]) -> Result<(Layout, Vec<u8>), Error> {
    let first = bytes.get(..HEADER_LEN).unwrap_or(bytes);
    let len = Elfcorehdr::total_len(first)?;
    let core = Elfcorehdr::parse(bytes.get(..len).unwrap_or(bytes), Architecture::X86_64)?;
    let layout = Layout::new(&core, 0x500, PAGE_SIZE)?;
    let mut header = vec![0; layout.header_len()];
    layout.encode_header(&core, &mut header)?;
    Ok((layout, header))
}

/// Goes through the file piece by piece, as a reader does.
fn read_to_the_end(layout: &Layout, header: &[u8]) {
    let mut offset = 0;
    while let Some(piece) = layout.locate(header, offset) {
        assert!(piece.len > 0);
        offset += piece.len;
    }
    assert_eq!(offset, layout.size());
    let nothing = Excluded::parse(b"", PAGE_SIZE).unwrap();
    assert_eq!(layout.seek(header, &nothing, 0, Wanted::Hole), Some(offset));
}

const IDENT: &str = "starts with";
const TRUNCATED: &str = "but should have";
const EXTENT: &str = "impossible extent";
const UNEQUAL: &str = "which should be equal";
const OVERLAP: &str = "overlap another one's";
const VERSION: &str = "not version 1 and 64 bytes";
const HEADERS: &str = "not of 56 at 0x40";
const KIND: &str = "PT_NOTEs (4) and after them PT_LOADs (1) are possible";

#[test]
fn a_crafted_elfcorehdr_is_refused_with_a_sentence() {
    let max = u64::MAX;
    let mut cases: Vec<(&str, Vec<Change>, &str)> = vec![
        ("nothing but zeros", vec![Fill(0)], IDENT),
        ("nothing but ones", vec![Fill(0xff)], IDENT),
        ("no bytes", vec![Cut(0)], TRUNCATED),
        ("half an ELF header", vec![Cut(32)], TRUNCATED),
        ("one byte short of an ELF header", vec![Cut(63)], TRUNCATED),
        ("an ELF header alone", vec![Cut(64)], TRUNCATED),
        ("half a program header", vec![Cut(64 + 28)], TRUNCATED),
        ("one byte short", vec![Cut(64 + 6 * 56 - 1)], TRUNCATED),
        ("magic 0", vec![Byte(0, 0x7e)], IDENT),
        ("magic 3", vec![Byte(3, b'f')], IDENT),
        ("no class", vec![Byte(4, 0)], IDENT),
        ("32 bits", vec![Byte(4, 1)], IDENT),
        ("an unknown class", vec![Byte(4, 3)], IDENT),
        ("big-endian", vec![Byte(5, 2)], IDENT),
        ("no byte order", vec![Byte(5, 0)], IDENT),
        ("ident version 0", vec![Byte(6, 0)], IDENT),
        ("ident version 2", vec![Byte(6, 2)], IDENT),
        ("no type", vec![Half(16, 0)], "has type 0"),
        ("a program", vec![Half(16, 2)], "has type 2"),
        (
            "a type of an operating system",
            vec![Half(16, 0xfeff)],
            "has type 65279",
        ),
        (
            "no machine",
            vec![Half(18, 0)],
            "of machine 0, not 62 (x86_64)",
        ),
        (
            "the wrong machine",
            vec![Half(18, 183)],
            "of machine 183, not 62 (x86_64)",
        ),
        (
            "a 32-bit machine",
            vec![Half(18, 3)],
            "of machine 3, not 62 (x86_64)",
        ),
        ("version 0", vec![Word(20, 0)], VERSION),
        ("version 2", vec![Word(20, 2)], VERSION),
        ("an ELF header of 52 bytes", vec![Half(52, 52)], VERSION),
        (
            "an ELF header of 65535 bytes",
            vec![Half(52, 0xffff)],
            VERSION,
        ),
        (
            "program headers within the ELF header",
            vec![Word(32, 0)],
            HEADERS,
        ),
        (
            "program headers one byte later",
            vec![Word(32, 65)],
            HEADERS,
        ),
        (
            "program headers far away",
            vec![Word(36, 0x8000_0000)],
            HEADERS,
        ),
        ("program headers of no bytes", vec![Half(54, 0)], HEADERS),
        ("program headers of 32 bytes", vec![Half(54, 32)], HEADERS),
        ("program headers of 57 bytes", vec![Half(54, 57)], HEADERS),
        ("no program headers", vec![Half(56, 0)], "names no notes"),
        (
            "one program header more than there is",
            vec![Half(56, 7)],
            TRUNCATED,
        ),
        ("16384 program headers", vec![Half(56, 16384)], TRUNCATED),
        (
            "16385 program headers",
            vec![Half(56, 16385)],
            "but 16384 are possible",
        ),
        (
            "PN_XNUM program headers",
            vec![Half(56, 0xffff)],
            "but 16384 are possible",
        ),
        ("PT_NULL", vec![Field(NOTE, TYPE, 0)], KIND),
        (
            "PT_DYNAMIC in front of memory",
            vec![Field(LOAD, TYPE, 2)],
            KIND,
        ),
        (
            "a type of an operating system",
            vec![Field(RAM, TYPE, 0x6474_e550)],
            KIND,
        ),
        ("a note after memory", vec![Field(LAST, TYPE, 4)], KIND),
        (
            "notes at all-ones",
            vec![Field(NOTE, TYPE, 0xffff_ffff)],
            KIND,
        ),
        (
            "memory where the first note should be",
            vec![Field(NOTE, TYPE, 1)],
            KIND,
        ),
        (
            "a note elsewhere than it says",
            vec![Field(1, PADDR, 1)],
            UNEQUAL,
        ),
        (
            "memory elsewhere than it says",
            vec![Field(LOAD, OFFSET, 0x1000)],
            UNEQUAL,
        ),
        (
            "a note longer than is believed",
            vec![Field(NOTE, MEMSZ, NOTES_LEN_MAX + 1)],
            EXTENT,
        ),
        (
            "a note of all there is",
            vec![Field(NOTE, MEMSZ, max)],
            EXTENT,
        ),
        (
            "a note with more in the file",
            vec![Field(2, FILESZ, 0x1025)],
            EXTENT,
        ),
        (
            "memory with more in the file",
            vec![Field(RAM, FILESZ, 0x9_ec01)],
            EXTENT,
        ),
        (
            "memory of all there is",
            vec![Field(RAM, MEMSZ, max)],
            EXTENT,
        ),
        (
            "memory to the end of 64 bits",
            vec![Field(LAST, MEMSZ, max - MIB)],
            EXTENT,
        ),
        (
            "memory that wraps to its own start",
            vec![Field(LAST, MEMSZ, max - MIB + 1)],
            EXTENT,
        ),
        (
            "memory one byte beyond what is physical",
            vec![Field(LAST, MEMSZ, PHYSICAL_END - MIB + 1)],
            EXTENT,
        ),
        (
            "text within RAM",
            vec![Field(LOAD, VADDR, DIRECT_MAP + MIB)],
            OVERLAP,
        ),
        (
            "RAM twice",
            vec![Field(LAST, VADDR, DIRECT_MAP + 0x1000)],
            OVERLAP,
        ),
        (
            "RAM out of order",
            vec![Field(RAM, VADDR, DIRECT_MAP + (1 << 40))],
            OVERLAP,
        ),
        (
            "virtual addresses that wrap",
            vec![Field(RAM, VADDR, max - 0xfff)],
            OVERLAP,
        ),
        (
            "everything at virtual address 0",
            (LOAD..=LAST).map(|n| Field(n, VADDR, 0)).collect(),
            OVERLAP,
        ),
    ];
    cases.push((
        "a note at the end of physical memory",
        piece(NOTE, PHYSICAL_END - 0x10, 0x20, 0),
        EXTENT,
    ));
    cases.push(("a note that wraps", piece(NOTE, max - 0xf, 0x20, 0), EXTENT));
    cases.push((
        "RAM that wraps",
        piece(LAST, max - 0xfff, 0x2000, DIRECT_MAP + MIB),
        EXTENT,
    ));
    cases.push((
        "memory beyond what is physical",
        piece(LAST, PHYSICAL_END, 1, DIRECT_MAP + MIB),
        EXTENT,
    ));
    assert!(cases.len() >= 60, "{}", cases.len());

    for (name, changes, expected) in cases {
        let mut bytes = good();
        for change in changes {
            change.apply(&mut bytes);
        }
        let error = serve(&bytes).expect_err(name);
        let sentence = error.to_string();
        assert!(sentence.contains(expected), "{name}: {sentence}");
        assert_eq!(sentence.lines().count(), 1, "{name}: {sentence}");
        assert!(sentence.len() < 300, "{name}: {sentence}");
        assert_eq!(error.errno(), Errno::Inval, "{name}");
    }
}

#[test]
fn a_strange_elfcorehdr_that_can_be_served_is() {
    let max = u64::MAX;
    let end = PHYSICAL_END;
    for (name, changes) in [
        ("the good one", vec![]),
        (
            "flags and alignment of no kernel",
            vec![Field(RAM, FLAGS, max), Field(RAM, ALIGN, max)],
        ),
        (
            "notes without bytes",
            (0..LOAD)
                .map(|n| Field(n, MEMSZ, 0))
                .chain((0..LOAD).map(|n| Field(n, FILESZ, 0)))
                .collect(),
        ),
        (
            "memory without bytes",
            vec![Field(RAM, MEMSZ, 0), Field(RAM, FILESZ, 0)],
        ),
        ("a single byte", piece(RAM, 0x1fff, 1, DIRECT_MAP + 0x1fff)),
        (
            "less in the file than in memory",
            vec![Field(RAM, FILESZ, 0)],
        ),
        (
            "the last page that is physical",
            piece(LAST, end - 0x1000, 0x1000, DIRECT_MAP + MIB),
        ),
        ("all that is physical", piece(RAM, 0, end, 0)),
        (
            "the last virtual address",
            piece(RAM, 0, 0x1000, max - 0xfff)
                .into_iter()
                .chain([Field(LAST, MEMSZ, 0), Field(LAST, FILESZ, 0)])
                .collect(),
        ),
        (
            "the same memory twice",
            piece(LAST, 0x1000, 0x9_ec00, DIRECT_MAP + MIB),
        ),
        ("no memory", vec![Half(56, 3)]),
        (
            "bytes of no meaning in the ELF header",
            vec![
                Byte(7, 9),
                Byte(15, 9),
                Word(24, 9),
                Word(40, 9),
                Word(48, 9),
                Half(58, 9),
                Half(62, 9),
            ],
        ),
        (
            "notes as long as is believed",
            vec![Field(NOTE, MEMSZ, NOTES_LEN_MAX)],
        ),
    ] {
        let mut bytes = good();
        for change in changes {
            change.apply(&mut bytes);
        }
        let (layout, header) = serve(&bytes).expect(name);
        read_to_the_end(&layout, &header);
    }
}
