// SPDX-License-Identifier: GPL-2.0

//! Whether an Image suits the CPUs and the crash region, and where it is placed.

use kexec_core::{
    image::{
        arm64::{
            arm64_image::Image,
            header::BASE_ALIGNMENT,
            verify::VerifyError, //
        },
        KernelImage, //
    },
    plan::{
        Placement,
        Placer,
        PlanError, //
    },
    types::{
        errno::Errno,
        granule::Granule,
        ranges::{
            Range,
            PAGE_SIZE, //
        }, //
    },
    uapi::SegmentKind, //
};

use super::{
    entry_conditions,
    with,
    with_text_offset,
    FILE_LEN,
    IMAGE_SIZE, //
};
use crate::fixture::{
    range,
    GIB,
    MIB, //
};

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
