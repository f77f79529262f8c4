// SPDX-License-Identifier: GPL-2.0

//! ELF kernels: which are accepted, and what of them goes where.

use kexec_core::handover::x86_64::boot_params::{BootParams, BOOT_PARAMS_LEN};
use kexec_core::image::arm64;
use kexec_core::image::arm64::verify::PageSizes;
use kexec_core::image::elf_kernel::{ElfKernel, ElfKernelError};
use kexec_core::image::x86_64;
use kexec_core::image::x86_64::bzimage::BzImage;
use kexec_core::image::x86_64::protocol::BootProtocol;
use kexec_core::image::x86_64::setup_header::XLF_5LEVEL_ENABLED;
use kexec_core::image::x86_64::verify::VerifyError;
use kexec_core::image::x86_64::vmlinux::Vmlinux;
use kexec_core::image::{self, KernelImage, NoRoom};
use kexec_core::plan::{Placement, Placer};
use kexec_core::types::elf::{self, ProgramHeader};
use kexec_core::types::errno::Errno;
use kexec_core::types::ranges::{Range, PAGE_SIZE};
use linux_loader::loader::bootparam::boot_params;
use object::read::elf::{ElfFile64, FileHeader};
use object::{LittleEndian, Object, ObjectSegment};
use proptest::prelude::*;
use vm_memory::ByteValued;

use crate::fixture::{bzimage_file, entry_conditions, put, range, without_xloadflags, GIB, MIB};

/// Where the fixtures' kernels are linked to.
const START: u64 = 16 * MIB;
const VIRTUAL: u64 = 0xffff_ffff_8000_0000;
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

/// A segment as vmlinux has them; the numbers are those of the ELF specification.
fn load(flags: u32, offset: u64, address: u64, file_len: u64, memory_len: u64) -> ProgramHeader {
    ProgramHeader {
        segment_type: 1,
        flags,
        offset,
        virtual_address: VIRTUAL + address,
        physical_address: address,
        file_len,
        memory_len,
        alignment: 0x1000,
    }
}

/// The segments of an x86_64 kernel: text, data, and data with bss; a note is not loaded.
fn segments() -> Vec<ProgramHeader> {
    let note = ProgramHeader {
        segment_type: 4,
        ..load(4, 0x1800, START + 0x800, 0x24, 0x24)
    };
    vec![
        load(5, 0x1000, START, 0x1234, 0x1234),
        load(6, 0x3000, START + 0x2000, 0x1000, 0x1000),
        note,
        load(7, 0x4010, START + 0x3010, 0x321, 0x9_0000),
    ]
}

/// A kernel with these segments, assembled from the ELF specification.
fn with_segments(machine: u16, entry: u64, segments: &[ProgramHeader]) -> Vec<u8> {
    let mut file: Vec<u8> = (0..0x4331_u32).map(|at| (at / 5) as u8).collect();
    put(&mut file, 0, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    put(&mut file, 16, &2_u16.to_le_bytes());
    put(&mut file, 18, &machine.to_le_bytes());
    put(&mut file, 20, &1_u32.to_le_bytes());
    put(&mut file, 24, &entry.to_le_bytes());
    put(&mut file, 32, &64_u64.to_le_bytes());
    put(&mut file, 40, &[0; 12]);
    put(&mut file, 52, &[64, 0, 56, 0]);
    put(&mut file, 56, &(segments.len() as u16).to_le_bytes());
    put(&mut file, 58, &[64, 0, 0, 0, 0, 0]);
    for (index, segment) in segments.iter().enumerate() {
        put(&mut file, 64 + 56 * index, &segment.encode());
    }
    file
}

pub fn vmlinux() -> Vec<u8> {
    with_segments(X86_64, START + 0x40, &segments())
}

/// An arm64 kernel, whose addresses are all virtual and whose text starts with an Image header.
fn arm64_vmlinux() -> Vec<u8> {
    let start = 0xffff_8000_8000_0000;
    let segments: Vec<_> = segments()
        .into_iter()
        .map(|segment| ProgramHeader {
            virtual_address: segment.physical_address - START + start,
            physical_address: segment.physical_address - START + start,
            ..segment
        })
        .collect();
    let mut file = with_segments(AARCH64, start, &segments);
    put(&mut file, 0x1000, &[0; 64]);
    put(&mut file, 0x1000 + 16, &MIB.to_le_bytes());
    put(&mut file, 0x1000 + 24, &[0xa]);
    put(&mut file, 0x1000 + 56, b"ARM\x64");
    file
}

fn arm64_conditions() -> arm64::verify::EntryConditions {
    arm64::verify::EntryConditions {
        page_sizes: PageSizes {
            kib4: true,
            kib16: false,
            kib64: true,
        },
        region: range(GIB, GIB + 256 * MIB),
    }
}

/// Compares what is loaded with the segments that `object` reads.
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

/// What was linked by the kernel's own build, where one is named.
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
        AARCH64 => {
            compare_with_object(&file, elf::Architecture::Arm64);
            let kernel = arm64::vmlinux::Vmlinux::parse(&file).unwrap();
            assert!(kernel.verify(&arm64_conditions()).is_ok());
        }
        other => panic!("a vmlinux for processor {other}"),
    }
}

#[test]
fn segments_are_written_at_their_distances_and_the_rest_is_zero() {
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
            "the kernel's entry point is 0x40 bytes behind its first segment's start, but an arm64 \
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

/// Every refusal, by what has to be written where into a good file to get it.
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

#[test]
fn a_vmlinux_says_nothing_of_5_level_paging_but_its_bzimage_does() {
    let conditions = |region| x86_64::verify::EntryConditions {
        five_level_paging: true,
        region,
    };
    let below = conditions(range(3 * GIB, 4 * GIB));
    let above = conditions(range(3 * GIB, 4 * GIB + PAGE_SIZE));
    let file = vmlinux();
    // It is entered with four levels, where the mode can be changed.
    let kernel = Vmlinux::parse(&file).unwrap();
    assert!(!kernel.supports_5level());
    assert!(!kernel.verify(&below).unwrap().supports_5level());
    let error = kernel.verify(&above).unwrap_err();
    let region = above.region;
    assert_eq!(error, VerifyError::FiveLevelAbove4G { region });
    assert_eq!(error.errno(), Errno::NoExec);
    assert_eq!(
        error.to_string(),
        "this machine runs with 5-level paging, a vmlinux does not tell whether it can be entered \
         with it, and the crash region 0xc0000000-0x100001000 ends above 4 GiB, where the mode \
         cannot be changed: give the bzImage, which tells, reserve below with crashkernel= without \
         ,high, or boot with no5lvl"
    );

    let with = bzimage_file();
    // The bzImage can be entered with five levels, and leaves them for the kernel in it.
    let without = without_xloadflags(bzimage_file(), XLF_5LEVEL_ENABLED);
    for (bzimage, supported) in [(&with, true), (&without, false)] {
        let bzimage = BzImage::parse(bzimage).unwrap();
        assert!(bzimage.supports_5level());
        let kernel = Vmlinux::from_bzimage(bzimage, &file).unwrap();
        assert_eq!(kernel.supports_5level(), supported);
        assert!(kernel.verify(&below).is_ok());
        assert_eq!(kernel.verify(&above).is_ok(), supported);
        assert_eq!(kernel.command_line_max(), bzimage.cmdline_size());
        assert_eq!(kernel.limit(), bzimage.limit());
        let initrd_end = bzimage.initrd_max().map(|max| max + 1);
        assert_eq!(
            kernel.initrd_limit(),
            range(0, initrd_end.unwrap_or(u64::MAX))
        );
    }
}

#[test]
fn an_x86_kernel_needs_an_aligned_place_that_is_large_enough() {
    let file = vmlinux();
    let kernel = Vmlinux::parse(&file).unwrap();
    for (region, fits) in [
        (range(256 * MIB, 256 * MIB + 0x9_4000), true),
        (range(256 * MIB, 256 * MIB + 0x9_3000), false),
        (range(256 * MIB + 0x1000, 258 * MIB + 0x9_4000), true),
        (range(8 * MIB, START + 0x9_4000), true),
        (range(8 * MIB, START + 0x9_3000), false),
        (range(5 * GIB, 6 * GIB), true),
    ] {
        let verified = kernel.verify(&entry_conditions(region)).map(|_| ());
        assert_eq!(verified.is_ok(), fits, "{region}");
    }

    let odd: Vec<_> = segments()
        .into_iter()
        .map(|segment| ProgramHeader {
            physical_address: segment.physical_address + 0x1000,
            ..segment
        })
        .collect();
    let file = with_segments(X86_64, START + 0x1000, &odd);
    let error = Vmlinux::parse(&file)
        .unwrap()
        .verify(&entry_conditions(range(GIB, 2 * GIB)));
    assert_eq!(
        error.unwrap_err().to_string(),
        "the kernel was linked to 0x1001000, but needs a multiple of 0x200000: give the vmlinux as \
         the kernel's build made it"
    );
}

#[test]
fn boot_params_for_a_vmlinux_have_a_setup_header() {
    let file = vmlinux();
    let kernel = x86_64::kernel::Kernel::parse(&file).unwrap();
    assert_eq!(
        (kernel.command_line_max(), kernel.initrd_max()),
        (2047, None)
    );
    assert_eq!(kernel.initrd_limit(), Range::ALL);
    let kernel = kernel
        .verify(&entry_conditions(range(GIB, 2 * GIB)))
        .unwrap();
    let mut page = [0xaa; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &kernel);
    params.set_initrd(range(5 * GIB, 5 * GIB + 123)).unwrap();
    let mut params = boot_params::default();
    params.as_mut_slice().copy_from_slice(&page);
    let hdr = params.hdr;
    assert_eq!({ hdr.boot_flag }, 0xaa55);
    assert_eq!({ hdr.header }, 0x5372_6448);
    assert_eq!({ hdr.version }, 0x020f);
    assert_eq!(hdr.loadflags, 1);
    assert_eq!({ hdr.kernel_alignment }, 0x20_0000);
    assert_eq!(hdr.relocatable_kernel, 1);
    assert_eq!({ hdr.xloadflags }, 3);
    assert_eq!({ hdr.cmdline_size }, 2047);
    assert_eq!({ hdr.pref_address }, START);
    assert_eq!({ hdr.init_size }, 0x9_3010);
    assert_eq!({ params.ext_ramdisk_image }, 1);
}

#[test]
fn the_kernel_of_either_format_has_what_its_own_type_has() {
    let file = bzimage_file();
    let bzimage = BzImage::parse(&file).unwrap();
    let either = x86_64::kernel::Kernel::parse(&file).unwrap();
    let verified = either
        .verify(&entry_conditions(range(GIB, 2 * GIB)))
        .unwrap();
    assert_eq!(verified.piece(0), bzimage.piece(0));
    assert_eq!(verified.piece(1), None);
    assert_eq!(
        (
            verified.memory_len(),
            verified.alignment(),
            verified.limit()
        ),
        (bzimage.memory_len(), bzimage.alignment(), bzimage.limit())
    );
    assert_eq!(verified.entry_offset(), 0x200);
    assert_eq!(verified.alignment_offset(), 0);
    assert!(either.verify(&entry_conditions(range(0, MIB))).is_err());
}

proptest! {
    /// What is accepted keeps what the type promises, however the file was changed.
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
