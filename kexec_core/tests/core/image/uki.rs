// SPDX-License-Identifier: GPL-2.0

//! Unified kernel images, assembled as PE files with the sections that the UAPI Group's
//! specification names.

use kexec_core::{
    image::uki::{
        Uki,
        UkiError, //
    },
    types::errno::Errno, //
};

use crate::{
    fixture::put,
    signature::pe_fixture::PeFile, //
};

/// An image with all sections that are read.
pub fn uki() -> PeFile {
    PeFile {
        sections: vec![
            (b".text", vec![0xcc; 0x123]),
            (b".linux", vec![0x4c; 0x1234]),
            (b".initrd", vec![0x49; 0x333]),
            (b".cmdline", b"console=ttyS0 quiet \n\0".to_vec()),
            (b".osrel", b"ID=debian\n".to_vec()),
            (b".uname", b"6.12.1".to_vec()),
        ],
        ..PeFile::default()
    }
}

#[test]
fn the_sections_are_found_without_their_padding() {
    let file = uki().assemble();
    let image = Uki::parse(&file).unwrap();
    assert_eq!(image.linux(), [0x4c; 0x1234]);
    assert_eq!(image.initrd(), Some(&[0x49; 0x333][..]));
    assert_eq!(image.command_line(), Some(&b"console=ttyS0 quiet"[..]));
    assert_eq!(image.os_release(), Some(&b"ID=debian"[..]));
    assert_eq!(image.uname(), Some(&b"6.12.1"[..]));
    assert_eq!(image.image().machine_number(), 0x8664);
}

#[test]
fn only_the_kernel_has_to_be_there() {
    let mut only = uki();
    only.sections.truncate(2);
    only.sections.push((b".initrd", Vec::new()));
    only.sections.push((b".cmdline", b"\n".to_vec()));
    let file = only.assemble();
    let image = Uki::parse(&file).unwrap();
    assert_eq!(image.linux().len(), 0x1234);
    assert_eq!((image.initrd(), image.uname()), (None, None));
    assert_eq!(image.command_line(), Some(&b""[..]));
}

#[test]
fn a_bad_image_is_refused_with_what_is_wrong() {
    let without = PeFile::default();
    let mut empty = uki();
    empty.sections[1].1.clear();
    let mut twice = uki();
    twice.sections.push((b".cmdline", b"init=/bin/sh".to_vec()));
    let mut short = uki().assemble();
    let header = uki().section_table() + 40;
    put(&mut short, header + 8, &0x1401_u32.to_le_bytes());
    for (file, sentence) in [
        (
            without.assemble(),
            "the unified kernel image has no kernel: it needs a .linux section with contents",
        ),
        (
            empty.assemble(),
            "the unified kernel image has no kernel: it needs a .linux section with contents",
        ),
        (
            twice.assemble(),
            "the unified kernel image has more than one .cmdline section, and nothing tells which \
             counts: build it with one profile",
        ),
        (
            short,
            "the unified kernel image's section .linux has 0x1401 bytes of memory, but 0x1400 of \
             contents: the image is damaged",
        ),
    ] {
        let error = Uki::parse(&file).expect_err(sentence);
        assert_eq!(
            (error.to_string().as_str(), error.errno()),
            (sentence, Errno::NoExec)
        );
    }
    let error = Uki::parse(b"MZ").unwrap_err();
    assert!(matches!(error, UkiError::Pe(_)));
    assert_eq!(error.errno(), Errno::LibBad);
    assert!(error.to_string().contains("not a whole EFI program"));
}
