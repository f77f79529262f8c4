// SPDX-License-Identifier: GPL-2.0

//! The wrappings that a kernel may come in. The compressed data of these tests have a framing only;
//! the decompressor of the tests knows the contents.

use kexec_core::image::{
    compressed::{
        Compressed,
        CompressedError, //
    },
    format::Format,
    unpack::{
        Decompressed,
        Step,
        Unpack,
        UnpackError,
        DECOMPRESSIONS_MAX, //
    }, //
};

use crate::{
    fixture::bzimage_file,
    signature::pe_fixture::PeFile, //
};

#[derive(Clone, Copy, Debug)]
enum Wrapping {
    Gzip,
    Unified,
}

use Wrapping::{
    Gzip,
    Unified, //
};

/// A gzip member that says how long its contents are, and has other bytes.
fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    member.resize(member.len() + 0x1000, 0x55);
    member.extend([0; 4]);
    member.extend((contents.len() as u32).to_le_bytes());
    member
}

fn unified(kernel: &[u8]) -> Vec<u8> {
    let file = PeFile {
        sections: vec![
            (b".linux", kernel.to_vec()),
            (b".initrd", b"initrd".to_vec()),
            (b".cmdline", b"quiet".to_vec()),
        ],
        ..PeFile::default()
    };
    file.assemble()
}

/// Wraps a kernel, from the outside in, and unpacks it again.
fn round(wrappings: &[Wrapping]) -> (Vec<Format>, Result<(), UnpackError>) {
    let kernel = bzimage_file();
    // The decompressed contents, the innermost first.
    let mut contents = Vec::new();
    let mut file = kernel.clone();
    for wrapping in wrappings.iter().rev() {
        file = match wrapping {
            Gzip => {
                contents.push(file.clone());
                gzip(&file)
            }
            Unified => unified(&file),
        };
    }
    let mut unpack = Unpack::new(&file);
    let all_contents = contents.clone();
    let mut contents = contents.iter().rev();
    let memory = Decompressed::default();
    let mut decompress = |_: &Compressed<'_>| Ok(contents.next().unwrap().clone());
    let result = loop {
        match unpack.step(&memory, &mut decompress) {
            Ok(Step::Kernel) => break Ok(()),
            Ok(Step::Decompressed) => {}
            Err(error) => break Err(error),
        }
    };
    if result.is_ok() {
        assert_eq!(unpack.bytes(), kernel);
        let whole = match wrappings.first() {
            Some(Gzip) => all_contents.last().unwrap(),
            _ => &file,
        };
        assert_eq!(unpack.whole(), whole);
        let in_unified = wrappings.iter().any(|wrapping| matches!(wrapping, Unified));
        assert_eq!(unpack.initrd(), in_unified.then_some(&b"initrd"[..]));
        assert_eq!(unpack.command_line(), in_unified.then_some(&b"quiet"[..]));
    }
    (unpack.formats().collect(), result)
}

#[test]
fn a_kernel_comes_compressed_in_a_unified_image_that_is_compressed_at_most() {
    for wrappings in [
        &[][..],
        &[Gzip],
        &[Unified],
        &[Unified, Gzip],
        &[Gzip, Unified],
        &[Gzip, Unified, Gzip],
    ] {
        let (formats, result) = round(wrappings);
        assert_eq!(result, Ok(()), "{wrappings:?}");
        assert_eq!(formats.len(), wrappings.len() + 1);
        let decompressions = wrappings.iter().filter(|wrapping| matches!(wrapping, Gzip));
        assert!(decompressions.count() <= DECOMPRESSIONS_MAX);
    }
}

#[test]
fn what_is_packed_more_often_is_refused_by_what_is_in_what() {
    for (wrappings, outer, inner) in [
        (&[Gzip, Gzip][..], "a gzip", "a gzip"),
        (
            &[Unified, Unified],
            "a unified kernel image",
            "a unified kernel image",
        ),
        (&[Unified, Gzip, Gzip], "a gzip", "a gzip"),
        (
            &[Unified, Gzip, Unified],
            "a gzip",
            "a unified kernel image",
        ),
    ] {
        let (_, result) = round(wrappings);
        let error = result.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the kernel is packed more than there is reason for: in {outer} file there is \
                 {inner} file: give what is in that"
            )
        );
    }
}

#[test]
fn what_becomes_something_of_another_length_is_refused() {
    let file = gzip(&[0; 0x2000]);
    let mut unpack = Unpack::new(&file);
    let memory = Decompressed::default();
    let result = unpack.step(&memory, |_| Ok([0; 0x1fff]));
    assert!(matches!(
        result,
        Err(UnpackError::Compressed(CompressedError::WrongLen {
            expected: 0x2000
        }))
    ));
}
