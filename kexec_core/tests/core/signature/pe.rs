// SPDX-License-Identifier: GPL-2.0

//! Reading PE files, and refusing malformed ones.

mod certificates;
mod digest;

use kexec_core::{
    signature::pe::{
        PeError,
        PeImage,
        PeMachine, //
    },
    types::errno::Errno, //
};
use object::{
    read::pe::{
        ImageNtHeaders,
        PeFile32,
        PeFile64, //
    },
    LittleEndian,
    Object,
    ObjectSection, //
};
use proptest::prelude::*;

use crate::{
    fixture::put,
    signature::pe_fixture::{
        certificate,
        der,
        PeFile,
        OPTIONAL,
        PE, //
    }, //
};

/// Something that starts as a PKCS#7 message does, of a length that needs padding.
fn message() -> Vec<u8> {
    der(0x30, &[0x5a; 0x123])
}

fn signed() -> Vec<u8> {
    PeFile::default().with_table(&certificate(&message()))
}

/// Compares the sections with those that `object` reads.
fn compare_sections<'a>(ours: &PeImage<'_>, theirs: impl Iterator<Item = (Vec<u8>, &'a [u8])>) {
    let ours: Vec<_> = ours
        .sections()
        .map(|section| {
            let contents = ours.contents(&section);
            let len = contents.len().min(section.virtual_size() as usize);
            (section.name().as_bytes().to_vec(), &contents[..len])
        })
        .collect();
    let theirs: Vec<_> = theirs.collect();
    assert!(ours == theirs);
}

#[test]
fn object_reads_the_same_from_both_forms() {
    for (machine, name) in [(0x8664, "x86_64"), (0xaa64, "arm64")] {
        let file = PeFile {
            machine,
            ..PeFile::default()
        }
        .assemble();
        let ours = PeImage::parse(&file).unwrap();
        let theirs = PeFile64::parse(&*file).unwrap();
        assert_eq!(ours.machine().unwrap().name(), name);
        assert_eq!(
            ours.machine_number(),
            theirs
                .nt_headers()
                .file_header()
                .machine
                .get(LittleEndian)
                .0
        );
        let sections = theirs.sections();
        compare_sections(
            &ours,
            sections.map(|s| (s.name_bytes().unwrap().to_vec(), s.data().unwrap())),
        );
    }
    let narrow = PeFile {
        machine: 0x14c,
        wide: false,
        ..PeFile::default()
    };
    let file = narrow.with_table(&certificate(&message()));
    let ours = PeImage::parse(&file).unwrap();
    assert_eq!(ours.machine(), Some(PeMachine::I386));
    assert_eq!(ours.signature(), Some(&message()[..]));
    let theirs = PeFile32::parse(&*file).unwrap();
    let sections = theirs.sections();
    compare_sections(
        &ours,
        sections.map(|s| (s.name_bytes().unwrap().to_vec(), s.data().unwrap())),
    );
}

#[test]
fn an_unknown_machine_has_a_number() {
    let file = PeFile {
        machine: 0x1234,
        ..PeFile::default()
    }
    .assemble();
    let image = PeImage::parse(&file).unwrap();
    assert_eq!((image.machine(), image.machine_number()), (None, 0x1234));
}

fn error(file: &[u8]) -> PeError {
    PeImage::parse(file)
        .and_then(|image| image.digest_ranges())
        .expect_err("the file is bad")
}

/// Every refusal, with the bytes that have to be written into a good file to get it.
#[test]
fn a_bad_header_is_refused_with_what_is_wrong() {
    let fixture = PeFile::default();
    let table = fixture.section_table();
    let text = fixture.headers_len() as u32;
    let file_len = fixture.assemble().len();
    let le = |number: u32| number.to_le_bytes();
    let cases: &[(usize, &[u8], &str)] = &[
        (
            0,
            b"ZM",
            "the kernel is not an EFI program, which starts with \"MZ\" and can carry a \
             signature: use one built with CONFIG_EFI_STUB",
        ),
        (
            0x3c,
            &le(0x3f),
            "the PE header is said to be at 0x3f, but has to be after the first 0x40 bytes and \
             in the file: the image is damaged",
        ),
        (
            0x3c,
            &le(u32::MAX),
            "the PE header is said to be at 0xffffffff, but has to be after the first 0x40 bytes \
             and in the file: the image is damaged",
        ),
        (
            PE,
            b"NE",
            "the kernel is not an EFI program: the PE header has the magic number 0x0000454e, not \
             0x00004550 (\"PE\\0\\0\")",
        ),
        (
            PE + 20,
            &[1, 0],
            "the PE optional header has 1 bytes, too few for its fields: the image is damaged",
        ),
        (
            PE + 20,
            &[111, 0],
            "the PE optional header has 111 bytes, too few for its fields: the image is damaged",
        ),
        (
            OPTIONAL,
            &[0x07, 0x01],
            "the PE optional header has the magic number 0x0107, but 0x010b (PE32) and 0x020b \
             (PE32+) are known: the image is damaged",
        ),
        (
            OPTIONAL + 108,
            &le(7),
            "the PE optional header of 160 bytes has no room for its 7 data directories: the \
             image is damaged",
        ),
        (
            OPTIONAL + 60,
            &le(0x1af),
            "the PE headers are said to have 0x1af bytes, but end at 0x1b0 in a file of 0x800: \
             the image is damaged",
        ),
        (
            OPTIONAL + 60,
            &le(0x801),
            "the PE headers are said to have 0x801 bytes, but end at 0x1b0 in a file of 0x800: \
             the image is damaged",
        ),
        (
            PE + 6,
            &[0xff, 0xff],
            "the PE headers are said to have 0x200 bytes, but end at 0x280110 in a file of 0x800: \
             the image is damaged",
        ),
        (
            table + 16,
            &le(0x601),
            "the kernel is truncated: the file has 2048 bytes, but its PE section .text ends at \
             2049: get it again",
        ),
        (
            table + 20,
            &le(text - 1),
            "the PE section .text at 0x1ff overlaps the headers, which end at 0x200: the image is \
             damaged",
        ),
        (
            table + 16,
            &le(0x401),
            "the PE sections .text and .data overlap in the file: the image is damaged",
        ),
        (
            table + 16,
            &le(0x3ff),
            "the bytes from 0x5ff to 0x600 before the PE section .data belong to no section, and \
             no signature covers them: build the image without gaps between its sections and \
             sign it again",
        ),
    ];
    assert_eq!(file_len, 0x800);
    for (offset, field, sentence) in cases {
        let mut file = fixture.assemble();
        put(&mut file, *offset, field);
        let found = error(&file);
        assert_eq!(found.to_string(), *sentence);
        assert_eq!(found.errno(), Errno::LibBad);
    }
}

#[test]
fn a_section_s_name_is_shown_as_it_can_be() {
    let fixture = PeFile::default();
    let mut file = fixture.assemble();
    put(&mut file, fixture.section_table(), b"\xff\"a b\n78");
    let image = PeImage::parse(&file).unwrap();
    let name = image.sections().next().unwrap().name();
    assert_eq!(name.to_string(), "\\xff\"a b\\x0a78");
    assert_eq!(name.as_bytes(), b"\xff\"a b\n78");
}

#[test]
fn a_section_in_the_certificate_table_is_refused() {
    let fixture = PeFile::default();
    let mut file = signed();
    put(
        &mut file,
        fixture.section_table() + 40 + 16,
        &0x208_u32.to_le_bytes(),
    );
    assert_eq!(
        error(&file).to_string(),
        "the PE section .data ends at 0x808 and overlaps the certificate table, which starts at \
         0x800: sign the kernel again"
    );
}

#[test]
fn every_prefix_of_a_signed_file_is_refused() {
    let file = signed();
    for len in 0..file.len() {
        assert!(PeImage::parse(&file[..len]).is_err(), "{len}");
    }
}

proptest! {
    /// An accepted file keeps the type's promises, with any change.
    #[test]
    fn a_mutated_file_is_refused_or_consistent(
        changes in prop::collection::vec((0..0x400_usize, any::<u8>()), 1..8)
    ) {
        let mut file = signed();
        for (at, value) in changes {
            file[at] = value;
        }
        if let Ok(image) = PeImage::parse(&file) {
            for section in image.sections() {
                let raw = section.raw();
                let len = (raw.end - raw.start) as usize;
                prop_assert!(len == 0 || image.contents(&section).len() == len);
            }
            if let Ok(ranges) = image.digest_ranges() {
                let mut at = 0;
                for range in ranges {
                    prop_assert!(at <= range.start && range.start <= range.end);
                    at = range.end;
                }
                prop_assert!(at <= file.len());
            }
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..1024)) {
        let mut bytes = bytes;
        let _ = PeImage::parse(&bytes);
        if bytes.len() > 0x44 {
            put(&mut bytes, 0, b"MZ");
            put(&mut bytes, 0x3c, &[0x40, 0, 0, 0]);
            put(&mut bytes, 0x40, b"PE\0\0");
            let _ = PeImage::parse(&bytes);
        }
    }
}
