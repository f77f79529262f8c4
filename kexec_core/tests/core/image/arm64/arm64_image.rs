// SPDX-License-Identifier: GPL-2.0

//! Which kernel images are accepted, and where they are placed.

mod verify;

use kexec_core::{
    image::arm64::{
        arm64_image::{
            initrd_limit,
            Image, //
        },
        header::{
            ImageError,
            BASE_ALIGNMENT, //
        },
        verify::{
            EntryConditions,
            PageSizes, //
        }, //
    },
    plan::{
        Placement,
        Placer, //
    },
    types::{
        errno::Errno,
        granule::Granule,
        ranges::{
            Range,
            PAGE_SIZE, //
        }, //
    }, //
};
use proptest::prelude::*;

use crate::fixture::{
    put,
    range,
    GIB,
    MIB, //
};

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
fn the_initrd_lies_in_one_window_with_the_kernel() {
    let kernel = range(5 * GIB + 2 * MIB, 5 * GIB + 10 * MIB);
    assert_eq!(initrd_limit(kernel), range(5 * GIB, 37 * GIB));
}

/// A real image, if one is named: the images of distributions and of the kernel's build must not be
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
