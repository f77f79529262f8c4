// SPDX-License-Identifier: GPL-2.0

//! Notes that a crafted elfcorehdr points to, and its address on the command line.

use kexec_core::{
    dump::{
        elfcorehdr::{
            address_on,
            encode,
            encoded_len,
            NOTES_LEN_MAX,
            NOTES_TOTAL_MAX, //
        },
        note::Notes, //
    },
    types::{
        elf::Architecture,
        ranges::Range, //
    }, //
};

use super::serve;
use crate::fixture::{
    put,
    MIB, //
};

#[test]
fn notes_of_all_cpus_have_an_end() {
    let count = (NOTES_TOTAL_MAX / NOTES_LEN_MAX) as usize;
    let note = |n: usize| Range::from_start_len(n as u64 * 2 * MIB, NOTES_LEN_MAX).unwrap();
    for (count, expected) in [(count, None), (count + 1, Some(count))] {
        let notes: Vec<Range> = (0..count).map(note).collect();
        let mut bytes = vec![0; encoded_len(count, 0)];
        encode(&mut bytes, Architecture::X86_64, &notes, &[]).unwrap();
        let index = serve(&bytes).err().map(|error| error.to_string());
        let sentence = expected.map(|index| {
            format!(
                "program header {index} of the elfcorehdr brings the notes to more than the \
                 0x1000000 bytes (16 MiB) that are believed"
            )
        });
        assert_eq!(index, sentence);
    }
}

/// The good notes before a damaged one are kept. Nothing is read after the end of the memory.
#[test]
fn notes_that_run_past_their_segment_end_there() {
    let note = |name_len: u32, desc_len: u32| {
        let mut bytes = vec![0; 64];
        put(&mut bytes, 0, &name_len.to_le_bytes());
        put(&mut bytes, 4, &desc_len.to_le_bytes());
        bytes
    };
    let good = note(5, 44);
    for (name, second, refused) in [
        ("no name", note(0, 8), false),
        ("zeros", vec![0; 64], false),
        ("contents that end with the memory", note(5, 44), false),
        ("contents one byte longer", note(5, 45), true),
        ("a name one byte longer", note(9, 41), true),
        ("the longest contents", note(5, u32::MAX), true),
        ("the longest name", note(u32::MAX, 44), true),
        ("the longest of both", note(u32::MAX, u32::MAX), true),
        (
            "a name that wraps when it is rounded",
            note(u32::MAX - 1, 0),
            true,
        ),
    ] {
        let bytes = [good.clone(), second].concat();
        let mut notes = Notes::new(&bytes);
        assert_eq!(notes.by_ref().any(|note| note.is_err()), refused, "{name}");
        let end = if name.starts_with("contents that end") {
            128
        } else {
            64
        };
        assert_eq!(notes.offset(), end, "{name}");
    }
}

#[test]
fn the_address_is_read_as_the_kernel_reads_it() {
    for (line, address) in [
        ("elfcorehdr=0x2effd000 console=ttyS0", Some(0x2eff_d000)),
        ("quiet elfcorehdr=65536", Some(65536)),
        ("elfcorehdr=867704K", Some(867_704 << 10)),
        ("elfcorehdr=4k@0x10M root=/dev/vda", Some(0x10 << 20)),
        ("elfcorehdr=1G@2g", Some(2 << 30)),
        ("elfcorehdr=0x1000 elfcorehdr=0x2000", Some(0x2000)),
        ("elfcorehdr=\"0x1000\"", Some(0x1000)),
        ("quiet", None),
        ("quiet -- elfcorehdr=0x1000", None),
        ("elfcorehdr", None),
        ("elfcorehdr=", None),
        ("elfcorehdr=4K@", None),
        ("elfcorehdr=x", None),
        ("elfcorehdr=0xffffffffffffffffG", None),
        ("elfcorehdr=17179869184G", None),
    ] {
        assert_eq!(address_on(line.as_bytes()), address, "{line}");
    }
}
