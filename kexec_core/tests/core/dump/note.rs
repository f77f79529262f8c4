// SPDX-License-Identifier: GPL-2.0

//! ELF notes, compared with those that `object` reads.

use kexec_core::{
    dump::note::{
        encode,
        note_len,
        notes_len,
        NoteError,
        Notes, //
    },
    types::errno::Errno, //
};
use object::{
    elf::FileHeader64,
    read::elf::NoteIterator,
    LittleEndian, //
};
use proptest::prelude::*;

type Owned = (Vec<u8>, u32, Vec<u8>);

fn ours(bytes: &[u8]) -> Vec<Owned> {
    Notes::new(bytes)
        .map(|note| note.expect("the notes are good"))
        .map(|note| (note.name.to_vec(), note.note_type, note.desc.to_vec()))
        .collect()
}

fn theirs(bytes: &[u8]) -> Vec<Owned> {
    let mut notes =
        NoteIterator::<FileHeader64<LittleEndian>>::new(LittleEndian, 4, bytes).unwrap();
    let mut found = Vec::new();
    while let Some(note) = notes.next().unwrap() {
        found.push((
            note.name().to_vec(),
            note.n_type(LittleEndian).0,
            note.desc().to_vec(),
        ));
    }
    found
}

fn encoded(notes: &[Owned]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, note_type, desc) in notes {
        let mut note = vec![0xaa; note_len(name.len() + 1, desc.len())];
        assert_eq!(encode(&mut note, name, *note_type, desc), Ok(note.len()));
        bytes.extend(note);
    }
    bytes
}

#[test]
fn a_note_is_laid_out_as_the_elf_specification_says() {
    let mut out = [0xaa; 28];
    assert_eq!(encode(&mut out, b"CORE", 1, b"abcde"), Ok(28));
    assert_eq!(
        out,
        *b"\x05\0\0\0\x05\0\0\0\x01\0\0\0CORE\0\0\0\0abcde\0\0\0"
    );
}

#[test]
fn a_note_that_has_no_room_is_refused() {
    let error = encode(&mut [0; 27], b"CORE", 1, b"abcde").unwrap_err();
    assert_eq!(
        error,
        NoteError::Buffer {
            needed: 28,
            len: 27
        }
    );
    assert_eq!(error.errno(), Errno::NoMem);
}

#[test]
fn notes_end_at_an_empty_one_or_with_the_memory() {
    let note = encoded(&[(b"CORE".to_vec(), 1, vec![7; 9])]);
    let cases = [
        ("no memory", vec![], 0),
        ("never written", vec![0; 368], 0),
        ("nothing after", note.clone(), note.len()),
        (
            "an empty note after",
            [note.clone(), vec![0; 12]].concat(),
            note.len(),
        ),
        (
            "less than a header after",
            [note.clone(), vec![0xff; 11]].concat(),
            note.len(),
        ),
        (
            "an empty note between",
            [note.clone(), vec![0; 12], note.clone()].concat(),
            note.len(),
        ),
    ];
    for (name, bytes, len) in cases {
        assert_eq!(notes_len(&bytes), Ok(len), "{name}");
    }
}

#[test]
fn a_note_that_runs_past_the_end_is_refused() {
    let note = encoded(&[(b"CORE".to_vec(), 1, vec![7; 9])]);
    let two = [note.clone(), note.clone()].concat();
    let error = notes_len(&two[..two.len() - 1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the note at offset 0x20, with a name of 0x5 and contents of 0x9 bytes, runs past the \
         0x3f bytes that hold the notes"
    );
    assert_eq!(error.errno(), Errno::Inval);

    // After an error there is nothing more, rather than the same again.
    let mut notes = Notes::new(&two[..two.len() - 1]);
    assert!(notes.next().is_some_and(|note| note.is_ok()));
    assert!(notes.next().is_some_and(|note| note.is_err()));
    assert!(notes.next().is_none());
}

proptest! {
    #[test]
    fn object_reads_what_was_written(
        notes in prop::collection::vec(
            ("[A-Z]{1,9}", any::<u32>(), prop::collection::vec(any::<u8>(), 0..40)), 0..5)
    ) {
        let notes: Vec<Owned> = notes
            .into_iter()
            .map(|(name, note_type, desc)| (name.into_bytes(), note_type, desc))
            .collect();
        let bytes = encoded(&notes);
        prop_assert_eq!(&theirs(&bytes), &notes);
        prop_assert_eq!(&ours(&bytes), &notes);
        prop_assert_eq!(notes_len(&bytes), Ok(bytes.len()));
    }

    /// The notes of a crashed kernel can be anything.
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(prop_oneof![Just(0_u8), 0..20_u8, any::<u8>()], 0..120)) {
        for note in Notes::new(&bytes).flatten() {
            prop_assert!(note.desc.len() <= bytes.len());
        }
        if let Ok(len) = notes_len(&bytes) {
            prop_assert!(len <= bytes.len());
        }
    }
}
