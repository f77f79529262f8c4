// SPDX-License-Identifier: GPL-2.0

//! Segments that cannot be placed, and plans that cannot be closed.

use kexec_core::{
    plan::{
        Placement,
        PlanError, //
    },
    types::{
        errno::Errno,
        ranges::Range, //
    },
    uapi::SegmentKind, //
};

use super::{
    placer_with_kernel,
    PAGE, //
};
use crate::fixture::{
    range,
    MIB, //
};

#[test]
fn what_does_not_fit_is_named_with_the_numbers() {
    let mut placer = placer_with_kernel();
    let error = placer
        .place(
            SegmentKind::Initrd,
            61 * MIB,
            61 * MIB,
            PAGE,
            Placement::Highest,
            Range::ALL,
        )
        .unwrap_err();
    assert_eq!(error.errno(), Errno::AddrNotAvail);
    assert_eq!(
        error.to_string(),
        "the initrd needs 0x3d00000 bytes (61 MiB), but the largest free piece of the crash \
         region 0x10000000-0x12000000 has 0x1800000 bytes (24 MiB): reserve more with \
         crashkernel="
    );
    // Nothing was placed: another one with the same contents, but smaller, still fits.
    assert!(placer
        .place(
            SegmentKind::Initrd,
            MIB,
            MIB,
            PAGE,
            Placement::Highest,
            Range::ALL
        )
        .is_ok());

    let error = placer_with_kernel()
        .place(
            SegmentKind::DeviceTree,
            MIB,
            MIB,
            2 * MIB,
            Placement::Highest,
            range(0, 256 * MIB),
        )
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the device tree needs 0x100000 bytes (1 MiB) at a multiple of 0x200000 within \
         0x0-0x10000000, but the largest free piece of the crash region \
         0x10000000-0x12000000 has 0x1800000 bytes (24 MiB): reserve more with crashkernel="
    );
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let kind = SegmentKind::Initrd;
    let place = |file_len, memory_len, alignment| {
        placer_with_kernel()
            .place(
                kind,
                file_len,
                memory_len,
                alignment,
                Placement::Lowest,
                Range::ALL,
            )
            .unwrap_err()
    };
    let cases = [
        (place(0, 0, PAGE), PlanError::Empty { kind }),
        (
            place(2, 1, PAGE),
            PlanError::FileLen {
                kind,
                file_len: 2,
                memory_len: 1,
            },
        ),
        (place(1, 1, 0), PlanError::Alignment { kind, alignment: 0 }),
        (
            place(1, 1, 16),
            PlanError::Alignment {
                kind,
                alignment: 16,
            },
        ),
        (
            place(1, 1, 0x3000),
            PlanError::Alignment {
                kind,
                alignment: 0x3000,
            },
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
        assert_eq!(found.errno(), Errno::Inval);
    }
    assert!(matches!(
        place(1, u64::MAX, PAGE),
        PlanError::NoFit { len: u64::MAX, .. }
    ));
}

#[test]
fn every_refusal_of_a_plan_is_a_sentence() {
    let kind = SegmentKind::Initrd;
    let memory = range(0x1000, 0x3000);
    for (error, sentence) in [
        (
            PlanError::NoRegion,
            "no memory is reserved for a capture kernel: boot with crashkernel=, for example \
             crashkernel=256M",
        ),
        (
            PlanError::TooMany { kind },
            "the initrd would be segment 8 of the image, which can have 7",
        ),
        (
            PlanError::Duplicate { kind },
            "the image has two segments for the initrd",
        ),
        (
            PlanError::Empty { kind },
            "the initrd is empty: give a file that has contents, or none",
        ),
        (
            PlanError::FileLen {
                kind,
                file_len: 2,
                memory_len: 1,
            },
            "the initrd has 0x2 bytes, but 0x1 bytes of memory",
        ),
        (
            PlanError::Alignment {
                kind,
                alignment: 0x3000,
            },
            "the initrd has an alignment of 0x3000, but a power of two from 0x1000 on is needed",
        ),
        (
            PlanError::UnverifiedKernel,
            "the kernel has to be placed from the image that was verified",
        ),
        (PlanError::NoKernel, "the image has no kernel"),
        (
            PlanError::Entry {
                entry: 0x3000,
                kernel: memory,
            },
            "the entry point 0x3000 is not in the kernel's memory 0x1000-0x3000",
        ),
        (
            PlanError::HalfOfMemory {
                needed: 80 * MIB,
                ram: 128 * MIB,
            },
            "the kernel and what is loaded with it need 0x5000000 bytes (80 MiB), which is more \
             than half of the 0x8000000 bytes (128 MiB) of memory that this machine has: load a \
             smaller initrd or kernel",
        ),
        (
            PlanError::Inconsistent { kind, memory },
            "the initrd at 0x1000-0x3000 overlaps another segment, leaves the crash region or is \
             not made of whole pages",
        ),
    ] {
        assert_eq!(error.to_string(), sentence);
    }
}
