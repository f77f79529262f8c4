// SPDX-License-Identifier: GPL-2.0

//! Whether a bzImage suits a machine and its crash region.

use kexec_core::{
    image::{
        x86_64::{
            bzimage::BzImage,
            protocol::BootProtocol,
            setup_header::{
                XLF_5LEVEL,
                XLF_5LEVEL_ENABLED,
                XLF_CAN_BE_LOADED_ABOVE_4G, //
            },
            verify::{
                EntryConditions,
                VerifyError, //
            }, //
        },
        KernelImage, //
    },
    types::errno::Errno, //
};

use crate::fixture::{
    bzimage_file,
    entry_conditions,
    range,
    verified,
    without_xloadflags,
    GIB,
    INIT_SIZE,
    MIB,
    PROTECTED_MODE_LEN, //
};

#[test]
fn a_kernel_needs_to_know_5_level_paging_only_where_it_is_on() {
    let five = EntryConditions {
        five_level_paging: true,
        region: range(256 * MIB, 512 * MIB),
    };
    let four = entry_conditions(five.region);

    let file = bzimage_file();
    let image = BzImage::parse(&file).unwrap();
    assert!(image.supports_5level() && image.uses_5level());
    assert!(image.verify(&five).is_ok());

    // A kernel that does not use it can still be entered with it.
    let file = without_xloadflags(bzimage_file(), XLF_5LEVEL_ENABLED);
    let image = BzImage::parse(&file).unwrap();
    assert!(image.supports_5level() && !image.uses_5level());
    assert!(image.verify(&five).is_ok());

    let file = without_xloadflags(bzimage_file(), XLF_5LEVEL);
    let image = BzImage::parse(&file).unwrap();
    assert!(image.verify(&four).is_ok());
    let error = image.verify(&five).unwrap_err();
    assert_eq!(error, VerifyError::FiveLevelPaging);
    assert_eq!(error.errno(), Errno::NoExec);
}

#[test]
fn a_region_above_4_gib_needs_a_kernel_that_can_be_there() {
    let region = range(4 * GIB - 64 * MIB, 4 * GIB + 64 * MIB);
    let file = bzimage_file();
    assert!(BzImage::parse(&file)
        .unwrap()
        .verify(&entry_conditions(region))
        .is_ok());

    let file = without_xloadflags(bzimage_file(), XLF_CAN_BE_LOADED_ABOVE_4G);
    let image = BzImage::parse(&file).unwrap();
    let error = image.verify(&entry_conditions(region)).unwrap_err();
    assert_eq!(error, VerifyError::Above4G { region });
    assert_eq!(error.errno(), Errno::NoExec);

    let below = range(4 * GIB - 64 * MIB, 4 * GIB);
    assert!(image.verify(&entry_conditions(below)).is_ok());
}

#[test]
fn a_kernel_fits_when_its_memory_does_at_its_alignment_from_its_address_on() {
    let file = bzimage_file();
    let image = BzImage::parse(&file).unwrap();
    let cases = [
        ("exactly", 32 * MIB, 32 * MIB + INIT_SIZE, true),
        (
            "a byte is missing",
            32 * MIB,
            32 * MIB + INIT_SIZE - 1,
            false,
        ),
        ("alignment eats it", 33 * MIB, 33 * MIB + INIT_SIZE, false),
        ("with room to align", 33 * MIB, 34 * MIB + INIT_SIZE, true),
        ("below its address", 0, 16 * MIB + INIT_SIZE - 1, false),
        ("from its address on", 0, 16 * MIB + INIT_SIZE, true),
        ("no region", 0, 0, false),
    ];
    for (name, start, end, fits) in cases {
        let region = range(start, end);
        assert_eq!(
            image.verify(&entry_conditions(region)).is_ok(),
            fits,
            "{name}: {region}"
        );
    }

    let error = image
        .verify(&entry_conditions(range(MIB, 5 * MIB)))
        .unwrap_err();
    assert_eq!(error.errno(), Errno::AddrNotAvail);
    assert_eq!(
        error.to_string(),
        "the kernel needs 0x800000 bytes (8 MiB) at a multiple of 0x200000 from 0x1000000 on, \
         but the crash region 0x100000-0x500000 has 0x400000 bytes (4 MiB): reserve more with \
         crashkernel="
    );
}

#[test]
fn a_verified_image_tells_a_plan_what_it_needs() {
    let file = bzimage_file();
    let image = verified(&file);
    assert_eq!(image.file_len(), PROTECTED_MODE_LEN as u64);
    assert_eq!(image.memory_len(), INIT_SIZE);
    assert_eq!(image.alignment(), 2 * MIB);
    assert_eq!(image.limit(), range(16 * MIB, u64::MAX));
    assert_eq!(image.entry_offset(), 0x200);
}
