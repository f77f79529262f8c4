// SPDX-License-Identifier: GPL-2.0

//! Recognising formats, and the sentences about other files.

use kexec_core::{
    error::Error,
    image::format::{
        Format,
        FormatError, //
    },
    signature::pe::PeError,
    types::errno::Errno, //
};

use super::{
    uki,
    zboot, //
};
use crate::{
    fixture::{
        bzimage_file,
        put, //
    },
    signature::pe_fixture::PeFile, //
};

/// A file of zeros with a few bytes at one offset.
fn with(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 0x400];
    put(&mut file, offset, bytes);
    file
}

#[test]
fn every_format_is_told_by_its_magic_number() {
    let mut stub = bzimage_file();
    put(&mut stub, 0, b"MZ");
    for (file, format, name) in [
        (bzimage_file(), Format::BzImage, "bzImage"),
        (stub, Format::BzImage, "bzImage"),
        (with(56, b"ARM\x64"), Format::Arm64Image, "arm64 Image"),
        (b"\x7fELF".to_vec(), Format::Elf, "ELF"),
        (zboot::gzip_file(), Format::Zboot, "EFI zboot"),
        (b"\x1f\x8b\x08".to_vec(), Format::Gzip, "gzip"),
        (b"\x28\xb5\x2f\xfd".to_vec(), Format::Zstd, "zstd"),
        (uki::uki().assemble(), Format::Uki, "unified kernel image"),
    ] {
        assert_eq!(Format::detect(&file), Ok(format));
        assert_eq!(format.name(), name);
    }
}

#[test]
fn a_kernel_of_the_other_architecture_is_called_one() {
    let other = |what: &str| {
        format!(
            "the kernel is a {what}: give one for this machine, a bzImage on x86_64 or an Image on \
             arm64"
        )
    };
    let error =
        kexec_core::image::x86_64::kernel::Kernel::parse(&with(56, b"ARM\x64")).unwrap_err();
    assert_eq!(error.to_string(), other("kernel for arm64"));
    let error = kexec_core::image::arm64::kernel::Kernel::parse(&bzimage_file()).unwrap_err();
    assert_eq!(error.to_string(), other("bzImage, which is for x86"));
    assert_eq!(error.errno(), Errno::NoExec);
}

#[test]
fn what_is_no_kernel_is_refused_with_what_it_looks_like() {
    let program = PeFile::default().assemble();
    let unknown_program = PeFile {
        machine: 0x1234,
        ..PeFile::default()
    }
    .assemble();
    let mut cut = uki::uki().assemble();
    cut.truncate(cut.len() - 1);
    for (file, sentence) in [
        (vec![], "the kernel is an empty file: get it again"),
        (
            b"070701000000".to_vec(),
            "the kernel is a cpio archive, as an initrd is one: are kernel and initrd mixed up?",
        ),
        (
            b"\xc7\x71\0".to_vec(),
            "the kernel is a cpio archive, as an initrd is one: are kernel and initrd mixed up?",
        ),
        (
            b"\xfd7zXZ\0\0".to_vec(),
            "the kernel is compressed by xz: decompress it, or give one compressed by gzip or zstd",
        ),
        (
            b"BZh9".to_vec(),
            "the kernel is compressed by bzip2: decompress it, or give one compressed by gzip or \
             zstd",
        ),
        (
            with(0x38, b"RSC\x05"),
            "the kernel is a kernel for riscv64: give one for this machine, a bzImage on x86_64 or \
             an Image on arm64",
        ),
        (
            with(0x24, &[0x18, 0x28, 0x6f, 0x01]),
            "the kernel is a zImage for arm with 32 bits: give one for this machine, a bzImage on \
             x86_64 or an Image on arm64",
        ),
        (
            b"\x27\x05\x19\x56".to_vec(),
            "the kernel is a U-Boot image: give one for this machine, a bzImage on x86_64 or an \
             Image on arm64",
        ),
        (
            program,
            "the kernel is an EFI program for x86_64 that is neither a kernel nor has a .linux \
             section: is it a boot loader? Give the kernel itself",
        ),
        (
            unknown_program,
            "the kernel is an EFI program for processor 0x1234 that is neither a kernel nor has a \
             .linux section: is it a boot loader? Give the kernel itself",
        ),
        (
            cut,
            "the kernel is truncated: the file has 9215 bytes, but its PE section .uname ends at \
             9216: get it again",
        ),
        (
            b"\xd0\x0d\xfe\xed".to_vec(),
            "the kernel is a flattened device tree or a FIT image: give the kernel itself",
        ),
        (
            b"!<arch>\ndebian-binary".to_vec(),
            "the kernel is a Debian package or a library: give the kernel that it installs in \
             /boot",
        ),
        (
            with(0x1fe, &[0x55, 0xaa]),
            "the kernel has a boot sector, but no setup header after it: it is a disk image, or \
             older than any kernel that can be loaded",
        ),
        (
            b"#!/bin/sh\nexit 0\n".to_vec(),
            "the kernel is text: give the kernel, which is a binary file below /boot",
        ),
        (
            vec![0; 600],
            "the kernel starts with zeros only: was it copied to the end? Get it again",
        ),
        (
            b"\xde\xad\xbe".to_vec(),
            "the kernel has no format that is known here: it starts with de ad be: give a \
             bzImage, an arm64 Image, a vmlinux or a unified kernel image",
        ),
        (
            b"\xde\xad\xbe\xef123456".to_vec(),
            "the kernel has no format that is known here: it starts with de ad be ef 31 32 33 34: \
             give a bzImage, an arm64 Image, a vmlinux or a unified kernel image",
        ),
    ] {
        let error = Format::detect(&file).expect_err(sentence);
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.errno(), Errno::NoExec);
        assert_eq!(Error::from(error).to_string(), sentence);
    }
    assert_eq!(
        Format::detect(b"MZ"),
        Err(FormatError::Pe(PeError::TooShort { len: 2 }))
    );
}
