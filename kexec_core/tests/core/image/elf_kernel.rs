// SPDX-License-Identifier: GPL-2.0

//! Reading ELF kernels, refusing malformed ones, and writing them to memory.

use super::elf_fixture::{
    arm64_conditions,
    arm64_vmlinux,
    segments,
    vmlinux,
    with_segments,
    ARM64,
    START,
    VIRTUAL,
    X86_64, //
};
use kexec_core::{
    image::{
        self,
        arm64,
        elf_kernel::{
            ElfKernel,
            ElfKernelError, //
        },
        x86_64::vmlinux::Vmlinux,
        KernelImage,
        NoRoom, //
    },
    plan::{
        Placement,
        Placer, //
    },
    types::{
        elf,
        errno::Errno, //
    }, //
};
use object::{
    read::elf::{
        ElfFile64,
        FileHeader, //
    },
    LittleEndian,
    Object,
    ObjectSegment, //
};
use proptest::prelude::*;

use crate::fixture::{
    entry_conditions,
    put,
    range,
    GIB,
    MIB, //
};

/// Compares the pieces with the segments that `object` reads.
fn compare_with_object(file: &[u8], architecture: elf::Architecture) {
    let ours = ElfKernel::parse(file, architecture).unwrap();
    let theirs = ElfFile64::<LittleEndian>::parse(file).unwrap();
    let header = theirs.elf_header();
    let mut pieces = 0;
    let mut end = 0;
    for (segment, header) in theirs.segments().zip(
        header
            .program_headers(LittleEndian, file)
            .unwrap()
            .iter()
            .filter(|header| header.p_type.get(LittleEndian).0 == 1),
    ) {
        let address = header.p_paddr.get(LittleEndian);
        end = end.max(address + segment.size());
        let data = segment.data().unwrap();
        if !data.is_empty() {
            let piece = ours.piece(pieces).unwrap();
            assert_eq!(piece.offset, address - ours.memory().start());
            assert!(piece.bytes == data);
            pieces += 1;
        }
    }
    assert_eq!(ours.piece(pieces), None);
    assert_eq!(ours.memory().end(), end);
}

#[test]
fn object_reads_the_same_segments() {
    compare_with_object(&vmlinux(), elf::Architecture::X86_64);
    compare_with_object(&arm64_vmlinux(), elf::Architecture::Arm64);
}

/// A vmlinux of the kernel's own build, if one is named.
#[test]
fn object_reads_the_same_from_a_real_vmlinux() {
    let Some(path) = std::env::var_os("RUST_KEXEC_VMLINUX") else {
        return;
    };
    let file = std::fs::read(path).expect("RUST_KEXEC_VMLINUX cannot be read");
    match u16::from_le_bytes([file[18], file[19]]) {
        X86_64 => {
            compare_with_object(&file, elf::Architecture::X86_64);
            let kernel = Vmlinux::parse(&file).unwrap();
            assert!(kernel
                .verify(&entry_conditions(range(256 * MIB, 512 * MIB)))
                .is_ok());
        }
        ARM64 => {
            compare_with_object(&file, elf::Architecture::Arm64);
            let kernel = arm64::vmlinux::Vmlinux::parse(&file).unwrap();
            assert!(kernel.verify(&arm64_conditions()).is_ok());
        }
        other => panic!("a vmlinux for processor {other}"),
    }
}

#[test]
pub fn segments_are_written_at_their_distances_and_the_rest_is_zero() {
    let file = vmlinux();
    let region = range(256 * MIB + 0x1000, 288 * MIB);
    let kernel = Vmlinux::parse(&file)
        .unwrap()
        .verify(&entry_conditions(region))
        .unwrap();
    let mut placer = Placer::new(region).unwrap();
    let segment = placer.place_kernel(&kernel, Placement::Lowest).unwrap();
    let start = 258 * MIB;
    assert_eq!(segment.memory, range(start, start + 0x9_4000));
    assert_eq!(segment.file_len, 0x3331);
    let plan = placer
        .finish(start + kernel.entry_offset(), u64::MAX)
        .unwrap();
    assert_eq!(plan.entry(), start + 0x40);

    let mut memory = vec![0xaa; segment.memory.len() as usize];
    image::write(&*kernel, &mut memory).unwrap();
    let mut expected = vec![0; memory.len()];
    put(&mut expected, 0, &file[0x1000..0x2234]);
    put(&mut expected, 0x2000, &file[0x3000..0x4000]);
    put(&mut expected, 0x3010, &file[0x4010..0x4331]);
    assert!(memory == expected);

    // One byte less than the contents need.
    assert_eq!(image::write(&*kernel, &mut memory[..0x3330]), Err(NoRoom));
    assert_eq!(image::write(&*kernel, &mut memory[..0x300f]), Err(NoRoom));
    assert_eq!(image::write(&*kernel, &mut memory[..0x3331]), Ok(()));
}

/// Every refusal, with the bytes that have to be written into a good file to get it.
#[test]
fn a_bad_header_is_refused_with_what_is_wrong() {
    let first = 64;
    let le = |number: u64| number.to_le_bytes();
    let cases: &[(usize, &[u8], &str)] = &[
        (
            1,
            b"elf",
            "the kernel is not an ELF file: it starts with 0x7f 0x65 0x6c 0x66, not with 0x7f and \
             \"ELF\"",
        ),
        (
            4,
            &[1],
            "the kernel is an ELF file of class 1, but 2 (64-bit) is needed: use one built for a \
             64-bit processor",
        ),
        (
            5,
            &[2],
            "the kernel is an ELF file with data encoding 2, but 1 (little-endian) is needed: use \
             one built without CONFIG_CPU_BIG_ENDIAN",
        ),
        (
            6,
            &[0],
            "the kernel is an ELF file of version 0, but only 1 exists: the image is damaged",
        ),
        (
            18,
            &[243],
            "the kernel is an ELF file for processor 243 (e_machine), but 62 (x86_64) is needed: \
             use one built for this machine",
        ),
        (
            16,
            &[1],
            "the kernel is an ELF file of type 1 (an object file or module), but 2 or 3 (a \
             program) is needed: give the vmlinux",
        ),
        (
            16,
            &[4],
            "the kernel is an ELF file of type 4 (a core file or dump), but 2 or 3 (a program) is \
             needed: give the vmlinux",
        ),
        (
            16,
            &[0],
            "the kernel is an ELF file of type 0, but 2 or 3 (a program) is needed: give the \
             vmlinux",
        ),
        (
            54,
            &[55],
            "the kernel's program headers have 55 bytes each, but 56 is what they have: the image \
             is damaged",
        ),
        (
            56,
            &[129],
            "the kernel has 129 program headers, but 128 at most are taken: give the vmlinux as \
             the kernel's build made it",
        ),
        (
            56,
            &[0],
            "the kernel has no segment to be loaded: give the vmlinux as the kernel's build made \
             it",
        ),
        (
            32,
            &le(u64::MAX - 100),
            "the kernel is truncated: the file has 0x4331 bytes, but 4 program headers at \
             0xffffffffffffff9b",
        ),
        (
            32,
            &le(0x4252),
            "the kernel is truncated: the file has 0x4331 bytes, but 4 program headers at 0x4252",
        ),
        (
            first + 40,
            &le(u64::MAX - START + 1),
            "the kernel's segment at 0x1000000 with 0xffffffffff000000 bytes (17179869183.9 GiB) \
             leaves the address space: the image is damaged",
        ),
        (
            first + 40,
            &le(1 << 31),
            "the kernel's segment at 0xffffffff81000000 with 0x80000000 bytes (2 GiB) leaves the \
             address space: the image is damaged",
        ),
        (
            first + 40,
            &le(0x1233),
            "the kernel's segment at 0x1000000 has 0x1234 bytes (4.5 KiB), but 0x1233 bytes (4.5 \
             KiB) of memory: the image is damaged",
        ),
        (
            first + 8,
            &le(u64::MAX - 0xfff),
            "the kernel is truncated: the file has 0x4331 bytes, but its segment at 0x1000000 has \
             0x1234 bytes at 0xfffffffffffff000",
        ),
        (
            first + 8,
            &le(0x4000),
            "the kernel is truncated: the file has 0x4331 bytes, but its segment at 0x1000000 has \
             0x1234 bytes at 0x4000",
        ),
        (
            first + 48,
            &le(0x3000),
            "the kernel's segment at 0x1000000 has an alignment of 0x3000, which is not a power of \
             two: the image is damaged",
        ),
        (
            first + 48,
            &le(1 << 63),
            "the kernel's segment at 0xffffffff81000000 is at 0x1000 in the file, but the two have \
             to differ by a multiple of the alignment 0x8000000000000000: the image is damaged",
        ),
        (
            first + 40,
            &le(0x2001),
            "the kernel's segment at 0x1002000 starts before the one before it ends, at 0x1002001: \
             give the vmlinux as the kernel's build made it",
        ),
        (
            24,
            &le(START + 0x1234),
            "the kernel's entry point 0x1001234 is not among the contents of a segment, \
             neither as a physical nor as a virtual address: give the vmlinux as the kernel's \
             build made it",
        ),
    ];
    for (offset, field, sentence) in cases {
        let mut file = vmlinux();
        put(&mut file, *offset, field);
        let error = ElfKernel::parse(&file, elf::Architecture::X86_64).expect_err(sentence);
        assert_eq!(error.to_string(), *sentence);
        assert_eq!(error.errno(), Errno::NoExec);
    }
    assert_eq!(
        ElfKernel::parse(&vmlinux()[..63], elf::Architecture::X86_64).unwrap_err(),
        ElfKernelError::TooShort { len: 63 }
    );
}

#[test]
fn the_entry_point_can_be_a_virtual_address() {
    for (entry, offset) in [
        (VIRTUAL + START, 0),
        (VIRTUAL + START + 0x1233, 0x1233),
        (START + 0x2000, 0x2000),
        (START + 0x3010 + 0x320, 0x3330),
    ] {
        let file = with_segments(X86_64, entry, &segments());
        let kernel = ElfKernel::parse(&file, elf::Architecture::X86_64).unwrap();
        assert_eq!(kernel.entry_offset(), offset);
    }
}

proptest! {
    /// An accepted file keeps the type's promises, with any change.
    #[test]
    fn a_mutated_kernel_is_refused_or_consistent(
        changes in prop::collection::vec((0..0x120_usize, any::<u8>()), 1..6)
    ) {
        let mut file = vmlinux();
        for (at, value) in changes {
            file[at] = value;
        }
        if let Ok(kernel) = Vmlinux::parse(&file) {
            let mut end = 0;
            for piece in kernel.pieces() {
                prop_assert!(piece.offset >= end);
                end = piece.end();
            }
            prop_assert!(end <= kernel.memory_len());
            prop_assert_eq!(end, kernel.file_len());
            prop_assert!(kernel.entry_offset() < end);
            let _ = kernel.verify(&entry_conditions(range(GIB, 2 * GIB)));
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut bytes = bytes;
        let _ = Vmlinux::parse(&bytes);
        if bytes.len() > 64 {
            put(&mut bytes, 0, &vmlinux()[..24]);
            put(&mut bytes, 54, &[56]);
            let _ = Vmlinux::parse(&bytes);
            let _ = arm64::vmlinux::Vmlinux::parse(&bytes);
        }
    }
}
