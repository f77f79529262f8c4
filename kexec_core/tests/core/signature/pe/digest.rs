// SPDX-License-Identifier: GPL-2.0

//! The parts of a PE file that its digest covers.

use std::ops::Range;

use kexec_core::signature::pe::{
    PeError,
    PeImage, //
};
use sha2::{
    Digest,
    Sha256, //
};

use super::{
    message,
    signed, //
};
use crate::signature::pe_fixture::{
    PeFile,
    OPTIONAL, //
};

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
