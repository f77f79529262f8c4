// SPDX-License-Identifier: GPL-2.0

//! The vmlinux of an x86_64 kernel.

use kexec_core::{
    handover::x86_64::boot_params::{
        BootParams,
        BOOT_PARAMS_LEN, //
    },
    image::{
        x86_64::{
            self,
            bzimage::BzImage,
            payload::Parameters,
            protocol::BootProtocol,
            setup_header::XLF_5LEVEL_ENABLED,
            verify::VerifyError,
            vmlinux::Vmlinux, //
        },
        KernelImage, //
    },
    types::{
        elf::ProgramHeader,
        errno::Errno,
        ranges::{
            Range,
            PAGE_SIZE, //
        }, //
    }, //
};
use linux_loader::loader::bootparam::boot_params;
use vm_memory::ByteValued;

use crate::{
    fixture::{
        bzimage_file,
        entry_conditions,
        range,
        without_xloadflags,
        GIB,
        MIB, //
    },
    image::elf_fixture::{
        segments,
        vmlinux,
        with_segments,
        START,
        X86_64, //
    }, //
};

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
        let kernel = Vmlinux::from_bzimage(bzimage, &file, Parameters::default()).unwrap();
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
