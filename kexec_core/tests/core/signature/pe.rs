// SPDX-License-Identifier: GPL-2.0

//! PE files: which are accepted, and what of them a signature covers.

use std::ops::Range;

use kexec_core::signature::der::DerError;
use kexec_core::signature::pe::{CertificateError, PeError, PeImage, PeMachine};
use kexec_core::types::errno::Errno;
use object::read::pe::{ImageNtHeaders, PeFile32, PeFile64};
use object::{LittleEndian, Object, ObjectSection};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::fixture::put;
use crate::signature::pe_fixture::{certificate, der, PeFile, OPTIONAL, PE};

/// Something that starts as a PKCS#7 message does, of a length that needs padding.
fn message() -> Vec<u8> {
    der(0x30, &[0x5a; 0x123])
}

fn signed() -> Vec<u8> {
    PeFile::default().with_table(&certificate(&message()))
}

/// Compares the sections with what `object` reads.
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

fn ranges(file: &[u8]) -> [Range<usize>; 3] {
    PeImage::parse(file).unwrap().digest_ranges().unwrap()
}

#[test]
fn the_digest_leaves_out_checksum_directory_and_table() {
    let fixture = PeFile::default();
    let unsigned = fixture.assemble();
    let len = unsigned.len();
    let directory = fixture.certificate_directory();
    let expected = [
        0..OPTIONAL + 64,
        OPTIONAL + 68..directory,
        directory + 8..len,
    ];
    assert_eq!(ranges(&unsigned), expected);
    assert_eq!(ranges(&signed()), expected);
    assert_eq!(PeImage::parse(&unsigned).unwrap().signature(), None);
    assert_eq!(
        PeImage::parse(&signed()).unwrap().signature(),
        Some(&message()[..])
    );

    let few = PeFile {
        directories: 4,
        ..PeFile::default()
    };
    let file = few.assemble();
    assert_eq!(
        ranges(&file),
        [
            0..OPTIONAL + 64,
            OPTIONAL + 68..file.len(),
            file.len()..file.len()
        ]
    );
}

fn digest(file: &[u8]) -> Result<Vec<u8>, PeError> {
    let image = PeImage::parse(file)?;
    let mut digest = Sha256::new();
    for range in image.digest_ranges()? {
        digest.update(&file[range]);
    }
    Ok(digest.finalize().to_vec())
}

/// Microsoft's description step by step, for a file whose parts are where the fixture puts them.
fn digest_as_described(file: &[u8], fixture: &PeFile) -> Vec<u8> {
    let directory = fixture.certificate_directory();
    let mut digest = Sha256::new();
    digest.update(&file[..OPTIONAL + 64]);
    digest.update(&file[OPTIONAL + 68..directory]);
    digest.update(&file[directory + 8..fixture.headers_len()]);
    let mut at = fixture.headers_len();
    for (_, contents) in &fixture.sections {
        let len = contents.len().next_multiple_of(0x200);
        digest.update(&file[at..at + len]);
        at += len;
    }
    digest.update(&file[at..fixture.assemble().len()]);
    digest.finalize().to_vec()
}

#[test]
fn the_digest_is_the_one_that_is_described() {
    let fixture = PeFile::default();
    for file in [fixture.assemble(), signed()] {
        assert_eq!(digest(&file).unwrap(), digest_as_described(&file, &fixture));
    }
}

/// One bit at a time, at positions all over the file.
#[test]
fn any_bit_that_is_signed_changes_the_digest_and_no_other_does() {
    let file = signed();
    let fixture = PeFile::default();
    let good = digest(&file).unwrap();
    let directory = fixture.certificate_directory();
    let table = fixture.assemble().len();
    let is_signed = |at: usize| {
        let excluded = [OPTIONAL + 64..OPTIONAL + 68, directory..directory + 8];
        at < table && !excluded.iter().any(|range| range.contains(&at))
    };
    let (mut changed, mut refused, mut unsigned) = (0, 0, 0);
    for bit in (0..file.len() * 8).step_by(11) {
        let at = bit / 8;
        let mut file = file.clone();
        file[at] ^= 1 << (bit % 8);
        match digest(&file) {
            Err(_) => refused += 1,
            Ok(digest) if is_signed(at) => {
                assert_ne!(digest, good, "bit {bit}");
                changed += 1;
            }
            Ok(digest) => {
                assert_eq!(digest, good, "bit {bit}");
                unsigned += 1;
            }
        }
    }
    assert!(changed >= 1200 && unsigned >= 200, "{changed}, {unsigned}");
    assert!(refused < 100, "{refused}");
}

#[test]
fn what_follows_the_sections_is_digested() {
    let mut file = PeFile::default().assemble();
    file.extend_from_slice(&[0; 24]);
    assert_eq!(ranges(&file)[2].end, file.len());
}

#[test]
fn the_order_of_the_section_table_is_free() {
    let fixture = PeFile::default();
    let mut file = fixture.assemble();
    let table = fixture.section_table();
    let expected = ranges(&file);
    file[table..table + 80].rotate_left(40);
    assert_eq!(ranges(&file), expected);
}

#[test]
fn a_second_signature_is_checked_but_the_first_is_taken() {
    let second = der(0x30, b"another");
    let table = [certificate(&message()), certificate(&second)].concat();
    let file = PeFile::default().with_table(&table);
    assert_eq!(
        PeImage::parse(&file).unwrap().signature(),
        Some(&message()[..])
    );
}

#[test]
fn the_last_entry_needs_no_padding() {
    let mut table = certificate(&message());
    table.truncate(8 + message().len());
    assert_ne!(table.len() % 8, 0);
    let file = PeFile::default().with_table(&table);
    assert!(PeImage::parse(&file).unwrap().signature().is_some());
}

fn error(file: &[u8]) -> PeError {
    PeImage::parse(file)
        .and_then(|image| image.digest_ranges())
        .expect_err("the file is bad")
}

/// Every refusal, by what has to be written where into a good file to get it.
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
            "the PE header is said to be at 0x3f, but has to be behind the first 0x40 bytes and \
             in the file: the image is damaged",
        ),
        (
            0x3c,
            &le(u32::MAX),
            "the PE header is said to be at 0xffffffff, but has to be behind the first 0x40 bytes \
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

/// Every refusal of the certificate table, by what has to be written where into a signed file.
#[test]
fn a_bad_certificate_table_is_refused_with_what_is_wrong() {
    let fixture = PeFile::default();
    let directory = fixture.certificate_directory();
    let good = signed();
    let table = fixture.assemble().len();
    let le = |number: usize| (number as u32).to_le_bytes();
    let len = good.len() - table;
    let cases: &[(usize, &[u8], &str)] = &[
        (
            directory,
            &le(0),
            "the certificate table has 0x130 bytes at 0x0, but only a table with neither a length \
             nor an offset is none: sign the kernel again",
        ),
        (
            directory + 4,
            &le(0),
            "the certificate table has 0x0 bytes at 0x800, but only a table with neither a length \
             nor an offset is none: sign the kernel again",
        ),
        (
            directory,
            &le(table + 4),
            "the certificate table is at 0x804, but has to be at a multiple of 8: sign the kernel \
             again",
        ),
        (
            directory,
            &le(0x1f8),
            "the certificate table at 0x1f8 overlaps the headers, which end at 0x200: sign the \
             kernel again",
        ),
        (
            directory + 4,
            &le(len + 1),
            "the certificate table ends at 0x931, but the file has 0x930 bytes, so that the \
             signature is cut off: sign the kernel again",
        ),
        (
            directory,
            &[le(0xffff_fff8), le(0xffff_ffff)].concat(),
            "the certificate table ends at 0x1fffffff7, but the file has 0x930 bytes, so that \
             the signature is cut off: sign the kernel again",
        ),
        (
            directory + 4,
            &le(len - 8),
            "the certificate table ends at 0x928, but the file has 0x930 bytes, and no signature \
             covers what follows the table: sign the kernel again",
        ),
        (
            table,
            &le(7),
            "the certificate table has an entry of 0x7 bytes at 0x0, but an entry has from 8 to \
             0x130 bytes there: sign the kernel again",
        ),
        (
            table,
            &le(len + 1),
            "the certificate table has an entry of 0x131 bytes at 0x0, but an entry has from 8 \
             to 0x130 bytes there: sign the kernel again",
        ),
        (
            table + 4,
            &[0x00, 0x01],
            "the certificate table has an entry of revision 0x0100, but 0x0200 (2.0) is needed: \
             sign the kernel again",
        ),
        (
            table + 6,
            &[0x01, 0x00],
            "the certificate table has an entry of type 0x0001, but 0x0002 (PKCS#7) is needed: \
             sign the kernel again",
        ),
        (
            table + 8,
            &[0x31],
            "the signature is not a PKCS#7 message: an element has the tag 0x31, not 0x30: sign \
             the kernel again",
        ),
    ];
    for (offset, field, sentence) in cases {
        let mut file = good.clone();
        put(&mut file, *offset, field);
        let found = error(&file);
        assert_eq!(found.to_string(), *sentence);
        assert_eq!(found.errno(), Errno::LibBad);
    }
}

#[test]
fn only_padding_follows_a_signature_in_its_entry() {
    let fixture = PeFile::default();
    for (padding, accepted) in [
        (&[0; 7][..], true),
        (&[], true),
        (&[0; 8], false),
        (&[0, 0, 1], false),
    ] {
        let contents = [&message()[..], padding].concat();
        let file = fixture.with_table(&certificate(&contents));
        match PeImage::parse(&file) {
            Ok(image) => {
                assert!(accepted, "{padding:?}");
                assert_eq!(image.signature(), Some(&message()[..]));
            }
            Err(error) => {
                assert!(!accepted, "{padding:?}");
                assert_eq!(
                    error.to_string(),
                    format!(
                        "{} bytes follow the signature in its entry, but only zeros up to the \
                         next multiple of 8 may: sign the kernel again",
                        padding.len()
                    )
                );
            }
        }
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
fn what_is_left_of_a_table_has_to_be_an_entry() {
    let mut table = certificate(&message());
    table.extend_from_slice(&[0; 4]);
    assert_eq!(
        error(&PeFile::default().with_table(&table)).to_string(),
        "the certificate table has 4 bytes left at 0x130, too few for an entry of 8 bytes or \
         more: sign the kernel again"
    );
}

#[test]
fn a_signature_is_as_long_as_the_kernel_takes_at_most() {
    let longest = der(0x30, &vec![0; 0xffff - 4]);
    let file = PeFile::default().with_table(&certificate(&longest));
    assert_eq!(
        PeImage::parse(&file).unwrap().signature(),
        Some(&longest[..])
    );

    let longer = der(0x30, &vec![0; 0x1_0000 - 4]);
    let found = error(&PeFile::default().with_table(&certificate(&longer)));
    assert_eq!(
        found.to_string(),
        "the signature has 65536 bytes, but 65535 at most are taken: sign the kernel again"
    );
    assert_eq!(found.errno(), Errno::MsgSize);
}

#[test]
fn a_cut_signature_is_refused() {
    let mut file = PeFile::default().with_table(&certificate(&der(0x30, b"")));
    let at = file.len() - 7;
    file[at] = 0x7f;
    assert_eq!(
        error(&file),
        PeError::Certificates(CertificateError::NotPkcs7 {
            error: DerError::Truncated {
                needed: 0x7f,
                len: 0
            }
        })
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
    /// What is accepted keeps what the type promises, however the file was changed.
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
