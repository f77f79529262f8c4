// SPDX-License-Identifier: GPL-2.0

//! The vmlinux of an arm64 kernel.

use kexec_core::{
    image::{
        arm64,
        KernelImage, //
    },
    plan::{
        Placement,
        Placer, //
    },
    types::errno::Errno, //
};

use crate::{
    fixture::{
        put,
        range,
        GIB,
        MIB, //
    },
    image::elf_fixture::{
        arm64_conditions,
        arm64_vmlinux, //
    }, //
};

#[test]
fn an_arm64_kernel_is_placed_as_its_image_is() {
    let file = arm64_vmlinux();
    let kernel = arm64::vmlinux::Vmlinux::parse(&file).unwrap();
    assert_eq!(kernel.elf().memory().len(), 0x9_3010);
    let verified = kernel.verify(&arm64_conditions()).unwrap();
    assert_eq!(verified.memory_len(), MIB);
    assert_eq!(verified.entry_offset(), 0);
    assert_eq!(verified.file_len(), 0x3331);
    let mut placer = Placer::new(arm64_conditions().region).unwrap();
    let placed = placer.place_kernel(&verified, Placement::Lowest).unwrap();
    assert_eq!(placed.memory, range(GIB, GIB + MIB));

    let kernel = arm64::kernel::Kernel::parse(&file).unwrap();
    let either = kernel.verify(&arm64_conditions()).unwrap();
    assert_eq!(either.pieces().count(), 3);
    assert_eq!(
        (either.memory_len(), either.alignment(), either.limit()),
        (MIB, verified.alignment(), verified.limit())
    );
}

#[test]
fn a_bad_arm64_kernel_is_refused_with_what_is_wrong() {
    for (offset, field, errno, sentence) in [
        (
            0x1000 + 56,
            &b"HdrS"[..],
            Errno::NoExec,
            "the kernel's first segment: the kernel is not an arm64 Image: the header has the \
             magic number 0x53726448, not 0x644d5241 (\"ARM\\x64\"): give the Image or the \
             vmlinuz below /boot",
        ),
        (
            0x1000 + 16,
            &[0, 0, 9, 0, 0, 0, 0, 0],
            Errno::Inval,
            "the kernel's first segment: the file has 602128 bytes, but the kernel in it says that \
             it needs 0x90000 bytes (576 KiB) of memory: the image is damaged",
        ),
        (
            24,
            &[0x40],
            Errno::NoExec,
            "the kernel's entry point is 0x40 bytes after its first segment's start, but an arm64 \
             kernel is entered there: give the vmlinux as the kernel's build made it",
        ),
        (
            18,
            &[62],
            Errno::NoExec,
            "the kernel is an ELF file for processor 62 (e_machine, x86_64), but 183 (aarch64) is \
             needed: use one built for this machine",
        ),
    ] {
        let mut file = arm64_vmlinux();
        put(&mut file, offset, field);
        let error = arm64::vmlinux::Vmlinux::parse(&file).expect_err(sentence);
        assert_eq!((error.to_string().as_str(), error.errno()), (sentence, errno));
    }
}
