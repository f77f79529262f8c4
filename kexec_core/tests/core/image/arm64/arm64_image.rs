// SPDX-License-Identifier: GPL-2.0

//! Which kernel images are accepted, and where they are placed.

use kexec_core::image::arm64::arm64_image::{initrd_limit, Image};
use kexec_core::image::arm64::header::{ImageError, BASE_ALIGNMENT};
use kexec_core::image::arm64::verify::{EntryConditions, PageSizes, VerifyError};
use kexec_core::image::KernelImage;
use kexec_core::plan::{Placement, Placer, PlanError};
use kexec_core::types::errno::Errno;
use kexec_core::types::granule::Granule;
use kexec_core::types::ranges::{Range, PAGE_SIZE};
use kexec_core::uapi::SegmentKind;
use proptest::prelude::*;

use crate::fixture::{put, range, GIB, MIB};

const FILE_LEN: usize = 0x3000;
const IMAGE_SIZE: u64 = 8 * MIB;
/// Where [`image_file`] has its PE header.
const PE: usize = 0x40;
/// The second section's header in it.
const SECOND_SECTION: usize = PE + 24 + 160 + 40;

/// An Image with an EFI stub, assembled from the descriptions of both formats: pages of 4 KiB, and
/// two sections of which the second ends with the file.
fn image_file() -> Vec<u8> {
    let mut file: Vec<u8> = (0..FILE_LEN).map(|offset| (offset / 7) as u8).collect();
    put(&mut file, 0, &[0; 0x200]);
    put(&mut file, 0, b"MZ\x40\xfa");
    put(&mut file, 16, &IMAGE_SIZE.to_le_bytes());
    put(&mut file, 24, &0xa_u64.to_le_bytes());
    put(&mut file, 56, b"ARM\x64");
    put(&mut file, 60, &(PE as u32).to_le_bytes());
    put(&mut file, PE, b"PE\0\0");
    put(&mut file, PE + 4, &0xaa64_u16.to_le_bytes());
    put(&mut file, PE + 6, &2_u16.to_le_bytes());
    put(&mut file, PE + 20, &160_u16.to_le_bytes());
    put(&mut file, PE + 24, &0x20b_u16.to_le_bytes());
    put(&mut file, PE + 24 + 60, &0x1000_u32.to_le_bytes());
    put(&mut file, PE + 24 + 108, &6_u32.to_le_bytes());
    for (section, offset, len) in [(0, 0x1000, 0x1000), (1, 0x2000, 0x1000_u32)] {
        let section = PE + 24 + 160 + section * 40;
        put(&mut file, section + 16, &len.to_le_bytes());
        put(&mut file, section + 20, &(offset as u32).to_le_bytes());
    }
    file
}

fn with(offset: usize, field: &[u8]) -> Vec<u8> {
    let mut file = image_file();
    put(&mut file, offset, field);
    file
}

fn with_text_offset(text_offset: u64) -> Vec<u8> {
    with(8, &text_offset.to_le_bytes())
}

fn refused(file: &[u8]) -> ImageError {
    Image::parse(file).expect_err("the image is not good")
}

fn entry_conditions(region: Range) -> EntryConditions {
    EntryConditions {
        page_sizes: PageSizes {
            kib4: true,
            kib16: false,
            kib64: true,
        },
        region,
    }
}

#[test]
fn the_header_says_what_the_kernel_needs() {
    let file = image_file();
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.bytes(), &file[..]);
    assert_eq!(image.image_size(), IMAGE_SIZE);
    assert_eq!(image.text_offset(), 0);
    assert_eq!(image.granule(), Some(Granule::Kib4));
    assert!(image.can_be_loaded_anywhere());

    let file = with(24, &[0]);
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.granule(), None);
    assert!(!image.can_be_loaded_anywhere());
    for (flags, granule) in [(4, Granule::Kib16), (6, Granule::Kib64)] {
        let file = with(24, &[flags]);
        assert_eq!(Image::parse(&file).unwrap().granule(), Some(granule));
    }
}

#[test]
fn what_is_no_image_is_refused_with_what_to_give_instead() {
    let cases: [(Vec<u8>, Errno, &str); 9] = [
        (
            image_file()[..63].to_vec(),
            Errno::NoExec,
            "the kernel is not an arm64 Image: the file has 63 bytes, but the header alone has 64: get \
             it again",
        ),
        (
            vec![],
            Errno::NoExec,
            "the kernel is not an arm64 Image: the file has 0 bytes, but the header alone has 64: get \
             it again",
        ),
        (
            b"\x1f\x8b\x08".to_vec(),
            Errno::NoExec,
            "the kernel is compressed by gzip: decompress it with zcat and give the Image",
        ),
        (
            b"MZ\0\0zimg".to_vec(),
            Errno::NoExec,
            "the kernel is a compressed EFI program (vmlinuz.efi): give the Image that it was \
             made from",
        ),
        (
            with(56, b"HdrS"),
            Errno::NoExec,
            "the kernel is not an arm64 Image: the header has the magic number 0x53726448, not \
             0x644d5241 (\"ARM\\x64\"): give the Image or the vmlinuz below /boot",
        ),
        (
            with(16, &[0; 8]),
            Errno::Inval,
            "the kernel does not tell how much memory it needs (image_size is 0): use one of \
             Linux 3.17 or newer",
        ),
        (
            with(24, &[0xb]),
            Errno::Inval,
            "the kernel is big-endian: use one built without CONFIG_CPU_BIG_ENDIAN",
        ),
        (
            with(16, &(FILE_LEN as u64 - 1).to_le_bytes()),
            Errno::Inval,
            "the file has 12288 bytes, but the kernel in it says that it needs 0x2fff bytes \
             (11.9 KiB) of memory: the image is damaged",
        ),
        (
            image_file()[..FILE_LEN - 1].to_vec(),
            Errno::NoExec,
            "the kernel is truncated: the file has 12287 bytes, but its PE header speaks of 12288: \
             get it again",
        ),
    ];
    for (file, errno, sentence) in cases {
        let error = refused(&file);
        assert_eq!((error.errno(), &error.to_string()[..]), (errno, sentence));
    }
}

#[test]
fn a_text_offset_is_a_number_of_pages_below_2_mib() {
    for text_offset in [0, 0x1000, 0x8_0000, 2 * MIB - 0x1000] {
        let file = with_text_offset(text_offset);
        assert_eq!(Image::parse(&file).unwrap().text_offset(), text_offset);
    }
    for found in [1, 0x8_0800, 2 * MIB, 2 * MIB + 0x1000, u64::MAX] {
        let error = refused(&with_text_offset(found));
        assert_eq!(error, ImageError::TextOffset { found });
        assert_eq!(error.errno(), Errno::Inval);
    }
}

#[test]
fn an_image_without_a_pe_header_can_have_any_length() {
    for file in [with(0, &[0; 4]), with(PE, &[0; 4]), with(60, &[0xff; 4])] {
        assert!(Image::parse(&file[..FILE_LEN / 2]).is_ok());
    }
    // A section that is only in memory does not count.
    let file = with(SECOND_SECTION + 16, &[0; 8]);
    assert!(Image::parse(&file[..0x2000]).is_ok());
    assert!(Image::parse(&file[..0x1fff]).is_err());
    // A section as far as a section can be.
    let file = with(SECOND_SECTION + 16, &[0xff; 8]);
    assert_eq!(
        refused(&file),
        ImageError::Truncated {
            len: FILE_LEN,
            expected: 2 * u64::from(u32::MAX)
        }
    );
}

#[test]
fn the_cpus_need_the_kernel_s_page_size() {
    let region = range(GIB, GIB + 256 * MIB);
    for (flags, granule, fits) in [
        (0xa, Granule::Kib4, true),
        (0xc, Granule::Kib16, false),
        (0xe, Granule::Kib64, true),
    ] {
        let file = with(24, &[flags]);
        let verified = Image::parse(&file)
            .unwrap()
            .verify(&entry_conditions(region));
        match fits {
            true => assert_eq!(verified.unwrap().granule(), Some(granule)),
            false => {
                let error = verified.unwrap_err();
                assert_eq!(error, VerifyError::PageSize { granule });
                assert_eq!(error.errno(), Errno::Inval);
                assert_eq!(
                    error.to_string(),
                    "the kernel uses pages of 16 KiB, which this machine's CPUs do not have: use \
                     one built with another page size"
                );
            }
        }
    }
    let file = with(24, &[8]);
    let unspecified = Image::parse(&file)
        .unwrap()
        .verify(&entry_conditions(region));
    assert!(unspecified.is_ok());
}

#[test]
fn the_region_has_to_hold_the_kernel_from_a_2_mib_boundary_on() {
    let verify = |text_offset, region| {
        let file = with_text_offset(text_offset);
        let image = Image::parse(&file).unwrap();
        image.verify(&entry_conditions(region)).map(|_| ())
    };
    let base = GIB + 2 * MIB;
    let fitting = range(GIB + 0x1000, base + IMAGE_SIZE);
    assert_eq!(verify(0, fitting), Ok(()));
    let too_short = range(GIB + 0x1000, base + IMAGE_SIZE - 1);
    let error = verify(0, too_short).unwrap_err();
    assert_eq!(error.errno(), Errno::AddrNotAvail);
    assert_eq!(
        error.to_string(),
        "the kernel needs 0x800000 bytes (8 MiB) at a multiple of 0x200000, but the crash region \
         0x40001000-0x409fffff has 0x9fefff bytes (9.9 MiB): reserve more with crashkernel="
    );
    // The text offset counts as well.
    assert!(verify(0x8_0000, fitting).is_err());
    assert_eq!(
        verify(0x8_0000, range(base, base + IMAGE_SIZE + 0x8_0000)),
        Ok(())
    );
    // Physical addresses that only some kernels have.
    let high = range((1 << 48) - 4 * MIB, (1 << 48) + GIB);
    let error = verify(0, high).unwrap_err();
    assert!(
        error.to_string().contains("within 0x0-0x1000000000000"),
        "{error}"
    );
    assert!(verify(0, range(0, 0)).is_err());
}

#[test]
fn the_kernel_is_placed_text_offset_behind_a_2_mib_boundary() {
    let region = range(GIB + 0x1000, GIB + 64 * MIB);
    let file = with_text_offset(0x8_0000);
    let image = Image::parse(&file)
        .unwrap()
        .verify(&entry_conditions(region))
        .unwrap();
    let place = |placement| {
        let mut placer = Placer::new(region).unwrap();
        let kernel = placer.place_kernel(&image, placement).unwrap();
        assert_eq!(kernel.file_len, FILE_LEN as u64);
        let plan = placer.finish(kernel.memory.start() + image.entry_offset(), u64::MAX);
        assert_eq!(plan.unwrap().entry(), kernel.memory.start());
        kernel.memory
    };
    let from = |base: u64| range(base + 0x8_0000, base + 0x8_0000 + IMAGE_SIZE);
    assert_eq!(place(Placement::Lowest), from(GIB + 2 * MIB));
    assert_eq!(place(Placement::Highest), from(GIB + 54 * MIB));
}

#[test]
fn the_memory_below_a_kernel_with_a_text_offset_can_be_used() {
    let region = range(GIB, GIB + 9 * MIB);
    let file = with_text_offset(0x8_0000);
    let image = Image::parse(&file)
        .unwrap()
        .verify(&entry_conditions(region))
        .unwrap();
    let mut placer = Placer::new(region).unwrap();
    placer.place_kernel(&image, Placement::Lowest).unwrap();
    let below = placer.place(
        SegmentKind::Initrd,
        0x8_0000,
        0x8_0000,
        PAGE_SIZE,
        Placement::Lowest,
        Range::ALL,
    );
    assert_eq!(below.unwrap().memory, range(GIB, GIB + 0x8_0000));
    // But where something is in the way, there is no base.
    let mut placer = Placer::new(region).unwrap();
    placer
        .place(
            SegmentKind::Initrd,
            1,
            1,
            PAGE_SIZE,
            Placement::Lowest,
            Range::ALL,
        )
        .unwrap();
    assert_eq!(
        placer.place_kernel(&image, Placement::Lowest),
        Err(PlanError::NoFit {
            kind: SegmentKind::Kernel,
            len: IMAGE_SIZE + 0x8_0000,
            alignment: BASE_ALIGNMENT,
            limit: image.limit(),
            region,
            largest_free: 9 * MIB - 0x1000,
        })
    );
}

#[test]
fn the_base_of_a_kernel_with_a_text_offset_is_in_the_region() {
    let file = with_text_offset(0x8_0000);
    let large = entry_conditions(range(GIB, 2 * GIB));
    let image = Image::parse(&file).unwrap().verify(&large).unwrap();
    let end = GIB + 0x8_0000 + IMAGE_SIZE;
    for placement in [Placement::Lowest, Placement::Highest] {
        let mut placer = Placer::new(range(GIB, end)).unwrap();
        assert!(placer.place_kernel(&image, placement).is_ok());
        let mut placer = Placer::new(range(GIB + 0x1000, end)).unwrap();
        assert!(placer.place_kernel(&image, placement).is_err());
    }
}

#[test]
fn the_initrd_lies_in_one_window_with_the_kernel() {
    let kernel = range(5 * GIB + 2 * MIB, 5 * GIB + 10 * MIB);
    assert_eq!(initrd_limit(kernel), range(5 * GIB, 37 * GIB));
}

/// A real image, where one is named: what distributions and the kernel's build make must not be
/// taken for a damaged one.
#[test]
fn a_real_image_is_accepted_whole_and_refused_when_cut() {
    let Some(path) = std::env::var_os("RUST_KEXEC_ARM64_IMAGE") else {
        return;
    };
    let file = std::fs::read(path).expect("RUST_KEXEC_ARM64_IMAGE cannot be read");
    let image = Image::parse(&file).unwrap();
    assert!(image.granule().is_some());
    image
        .verify(&EntryConditions {
            page_sizes: PageSizes {
                kib4: true,
                kib16: true,
                kib64: true,
            },
            region: range(GIB, 2 * GIB),
        })
        .unwrap();
    assert!(matches!(
        refused(&file[..file.len() / 2]),
        ImageError::Truncated { .. }
    ));
}

proptest! {
    #[test]
    fn any_file_is_refused_or_needs_memory_for_all_of_it(
        damage in prop::collection::vec((0..0x200_usize, any::<u8>()), 0..8),
        len in 0..=FILE_LEN,
    ) {
        let mut file = image_file();
        for (offset, byte) in damage {
            file[offset] = byte;
        }
        if let Ok(image) = Image::parse(&file[..len]) {
            prop_assert!(image.image_size() >= len as u64);
            let _ = image.verify(&entry_conditions(range(GIB, 2 * GIB)));
        }
    }

    #[test]
    fn a_verified_image_can_be_placed(
        text_offset in 0..0x200_u64,
        image_size in (FILE_LEN as u64)..(8 * MIB),
        start in 0..0x400_u64,
        pages in 1..0x1000_u64,
    ) {
        let mut file = with_text_offset(text_offset * PAGE_SIZE);
        put(&mut file, 16, &image_size.to_le_bytes());
        let start = GIB + start * PAGE_SIZE;
        let region = range(start, start + pages * PAGE_SIZE);
        let image = Image::parse(&file).unwrap();
        let placed = image.verify(&entry_conditions(region)).map(|image| {
            let mut placer = Placer::new(region).unwrap();
            placer.place_kernel(&image, Placement::Lowest).unwrap().memory
        });
        // Pages of the region at which a base can be, tried one by one.
        let base = (start..region.end()).step_by(PAGE_SIZE as usize).find(|base| {
            let end = base + text_offset * PAGE_SIZE + image_size.next_multiple_of(PAGE_SIZE);
            base % BASE_ALIGNMENT == 0 && end <= region.end()
        });
        prop_assert_eq!(
            placed.ok().map(|memory| memory.start()),
            base.map(|base| base + text_offset * PAGE_SIZE)
        );
    }
}
