// SPDX-License-Identifier: GPL-2.0

//! The writer and the reader of flattened files.

use std::thread;

use dumpfile::{
    flattened::{
        reader::{
            FlattenedError,
            FlattenedFile, //
        },
        writer::Flattened,
        HEADER_LEN,
        RECORD_HEADER_LEN, //
    },
    source::Source,
    target::{
        MemoryTarget,
        Target, //
    }, //
};
use proptest::prelude::*;

/// Bytes that differ from one place to the next.
fn bytes(offset: u64, len: usize) -> Vec<u8> {
    (offset..)
        .take(len)
        .map(|at| (at * 7 / 3) as u8 | 1)
        .collect()
}

/// A file with these records, the last of which may be cut off.
fn file(records: &[(i64, i64, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"makedumpfile\0\0\0\0".to_vec();
    file.extend(1_i64.to_be_bytes());
    file.extend(1_i64.to_be_bytes());
    file.resize(HEADER_LEN, 0);
    for (offset, len, bytes) in records {
        file.extend(offset.to_be_bytes());
        file.extend(len.to_be_bytes());
        file.extend(bytes);
    }
    file
}

/// All that a source has.
fn all(source: &impl Source) -> Vec<u8> {
    source.read_vec(0, source.len()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Pieces are written in any order by two threads, and the first one a second time.
    #[test]
    fn what_is_written_is_read_again(
        lens in prop::collection::vec((1_usize..400_000, 0_u64..9000), 1..24),
        order in any::<prop::sample::Index>(),
    ) {
        let mut pieces = Vec::new();
        let mut at = 4096;
        for (len, gap) in lens {
            pieces.push((at, bytes(at, len)));
            at += len as u64 + gap / 1000 * gap;
        }
        let turn = order.index(pieces.len());
        pieces.rotate_left(turn);
        pieces.insert(turn, (0, vec![9; 4096]));
        let plain = MemoryTarget::default();
        let flattened = Flattened::new(Vec::new()).unwrap();
        thread::scope(|scope| {
            let (some, others) = pieces.split_at(pieces.len() / 2);
            for pieces in [some, others] {
                let (plain, flattened) = (&plain, &flattened);
                scope.spawn(move || {
                    for (offset, bytes) in pieces {
                        plain.write_at(*offset, bytes).unwrap();
                        flattened.write_at(*offset, bytes).unwrap();
                    }
                });
            }
        });
        for target in [&plain as &dyn Target, &flattened] {
            target.write_at(0, &[1; 4096]).unwrap();
        }
        let plain = plain.into_bytes();
        let written = flattened.finish().unwrap();
        let flattened = FlattenedFile::open(written).unwrap();
        prop_assert!(flattened.is_complete());
        prop_assert!(all(&flattened) == plain);
        let reassembled = MemoryTarget::default();
        flattened.reassemble(&reassembled).unwrap();
        prop_assert!(reassembled.into_bytes() == plain);
        for offset in (0..plain.len()).step_by(777) {
            let data = flattened.next_data(offset as u64) as usize;
            prop_assert!(plain[offset..data].iter().all(|byte| *byte == 0));
        }
    }

    /// Of two records for one place the later one counts, and what was cut off has what is there.
    #[test]
    fn records_may_overlap_and_be_cut_off(
        records in prop::collection::vec((0_u64..300, 1_usize..90, any::<u8>()), 1..20),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let records: Vec<_> = records
            .into_iter()
            .map(|(offset, len, byte)| (offset as i64, len as i64, vec![byte; len]))
            .collect();
        let mut written = file(&records);
        match cut {
            Some(cut) => {
                let len = HEADER_LEN + cut.index(written.len() + 1 - HEADER_LEN);
                written.truncate(len);
            }
            None => written.extend([0xff; 16]),
        }
        let mut expected = Vec::new();
        let mut place = HEADER_LEN;
        for (offset, len, bytes) in &records {
            place += RECORD_HEADER_LEN;
            let there = written.len().saturating_sub(place).min(*len as usize);
            let end = *offset as usize + there;
            if there > 0 {
                expected.resize(expected.len().max(end), 0);
                expected[*offset as usize..end].copy_from_slice(&bytes[..there]);
            }
            place += *len as usize;
        }
        let flattened = FlattenedFile::open(written).unwrap();
        prop_assert_eq!(flattened.is_complete(), cut.is_none());
        prop_assert_eq!(all(&flattened), expected);
    }
}

/// Descriptors, which are short and belong far below, wait for each other.
#[test]
fn short_writes_that_touch_are_one_record() {
    let flattened = Flattened::new(Vec::new()).unwrap();
    let page = vec![5; 1 << 20];
    for turn in 0..40 {
        let turn_at = |first: u64, len: usize| first + turn * len as u64;
        flattened
            .write_at(turn_at(1 << 30, page.len()), &page)
            .unwrap();
        flattened
            .write_at(turn_at(8192, 6000), &bytes(0, 6000))
            .unwrap();
    }
    let waited = flattened.written().unwrap();
    assert_eq!(
        waited as usize,
        HEADER_LEN + 40 * (RECORD_HEADER_LEN + page.len())
    );
    let written = flattened.finish().unwrap();
    assert_eq!(
        written.len(),
        waited as usize + 2 * RECORD_HEADER_LEN + 40 * 6000
    );
}

/// The search that crash makes in the list that it makes of the records: each is put before those of
/// the same offset, and the middle is looked at first.
#[test]
fn crash_finds_the_header_that_was_written_last() {
    for pieces in 1..40 {
        let flattened = Flattened::new(Vec::new()).unwrap();
        for piece in 0..pieces {
            flattened.write_at(piece << 20, &vec![1; 1 << 20]).unwrap();
        }
        flattened.write_at(0, &[2; 4096]).unwrap();
        let written = flattened.finish().unwrap();
        let mut list: Vec<(i64, i64, usize)> = Vec::new();
        let mut place = HEADER_LEN;
        loop {
            let number = |at: usize| i64::from_be_bytes(*written[at..].first_chunk().unwrap());
            let (offset, len) = (number(place), number(place + 8));
            place += RECORD_HEADER_LEN;
            if offset == -1 {
                break;
            }
            let at = list.partition_point(|(start, ..)| *start < offset);
            list.insert(at, (offset, len, place));
            place += len as usize;
        }
        let (mut start, mut end) = (0, list.len());
        let place = loop {
            let middle = (start + end) / 2;
            let (offset, len, place) = list[middle];
            if offset <= 0 && 0 < offset + len {
                break place;
            }
            match offset > 0 {
                true => end = middle,
                false => start = middle,
            }
        };
        assert_eq!(written[place], 2, "{pieces}");
    }
}

#[test]
fn what_is_no_such_file_is_refused_with_the_reason() {
    let refused = |bytes: Vec<u8>| FlattenedFile::open(bytes).unwrap_err();
    assert!(matches!(
        refused(b"KDUMP   ".to_vec()),
        FlattenedError::Signature
    ));
    assert!(matches!(
        refused(file(&[])[..31].to_vec()),
        FlattenedError::Signature
    ));
    let mut other = file(&[]);
    other[31] = 2;
    assert!(matches!(refused(other), FlattenedError::Version(1, 2)));
    for (offset, len) in [(-2, 1), (0, 0), (0, -1), (i64::MAX, 1)] {
        let error = refused(file(&[(offset, len, vec![0])]));
        assert!(
            matches!(error, FlattenedError::Record(4096, ..)),
            "{offset} {len}"
        );
    }
}
