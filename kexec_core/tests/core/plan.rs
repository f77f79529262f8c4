// SPDX-License-Identifier: GPL-2.0

//! Placing segments, and closing a plan.

mod refusals;
mod rooms;

use kexec_core::{
    plan::{
        Placement,
        Placer,
        PlanError,
        Segment, //
    },
    types::{
        errno::Errno,
        ranges::Range, //
    },
    uapi::SegmentKind, //
};
use proptest::prelude::*;

use crate::fixture::{
    bzimage_file,
    range,
    verified,
    GIB,
    INIT_SIZE,
    MIB,
    PROTECTED_MODE_LEN, //
};

const PAGE: u64 = 4096;

const REGION: Range = match Range::new(256 * MIB, 288 * MIB) {
    Some(region) => region,
    None => Range::ALL,
};

/// More than twice the region.
const RAM: u64 = GIB;

fn placer() -> Placer {
    Placer::new(REGION).unwrap()
}

/// A placer that has the kernel at the region's start already.
fn placer_with_kernel() -> Placer {
    let mut placer = placer();
    let file = bzimage_file();
    placer
        .place_kernel(&verified(&file), Placement::Lowest)
        .unwrap();
    placer
}

#[test]
fn segments_go_to_the_end_that_was_asked_for() {
    let file = bzimage_file();
    let mut placer = placer();
    let kernel = placer
        .place_kernel(&verified(&file), Placement::Lowest)
        .unwrap();
    assert_eq!(
        kernel,
        Segment {
            kind: SegmentKind::Kernel,
            memory: range(256 * MIB, 256 * MIB + INIT_SIZE),
            file_len: PROTECTED_MODE_LEN as u64,
        }
    );
    let initrd = placer
        .place(
            SegmentKind::Initrd,
            5000,
            5000,
            PAGE,
            Placement::Highest,
            Range::ALL,
        )
        .unwrap();
    assert_eq!(initrd.memory, range(288 * MIB - 2 * PAGE, 288 * MIB));
    assert_eq!(initrd.file_len, 5000);
    let header = placer
        .place(
            SegmentKind::Elfcorehdr,
            100,
            PAGE,
            PAGE,
            Placement::Highest,
            Range::ALL,
        )
        .unwrap();
    assert_eq!(
        header.memory,
        range(288 * MIB - 3 * PAGE, 288 * MIB - 2 * PAGE)
    );
    let params = placer
        .place(
            SegmentKind::BootParams,
            PAGE,
            PAGE,
            PAGE,
            Placement::Lowest,
            Range::ALL,
        )
        .unwrap();
    assert_eq!(params.memory.start(), kernel.memory.end());

    let plan = placer.finish(kernel.memory.start() + 0x200, RAM).unwrap();
    assert_eq!(plan.region(), REGION);
    assert_eq!(plan.entry(), 256 * MIB + 0x200);
    assert_eq!(
        plan.segments().copied().collect::<Vec<_>>(),
        [kernel, initrd, header, params]
    );
    assert_eq!(plan.segment(SegmentKind::Initrd), Some(&initrd));
    assert_eq!(plan.segment(SegmentKind::DeviceTree), None);
    assert_eq!(plan.total_len(), INIT_SIZE + 4 * PAGE);
}

#[test]
fn a_limit_below_or_above_keeps_a_segment_within_it() {
    let limit = range(0, 260 * MIB + 100);
    let segment = placer()
        .place(SegmentKind::Initrd, 1, 1, PAGE, Placement::Highest, limit)
        .unwrap();
    assert_eq!(segment.memory.end(), 260 * MIB);

    let limit = range(260 * MIB + 1, GIB);
    let segment = placer()
        .place(SegmentKind::Initrd, 1, 1, 2 * MIB, Placement::Lowest, limit)
        .unwrap();
    assert_eq!(segment.memory.start(), 262 * MIB);
}

#[test]
fn a_region_that_is_not_page_aligned_is_used_in_whole_pages() {
    let mut placer = Placer::new(range(0x1001, 0x3fff)).unwrap();
    let segment = placer
        .place(
            SegmentKind::Initrd,
            1,
            1,
            PAGE,
            Placement::Lowest,
            Range::ALL,
        )
        .unwrap();
    assert_eq!(segment.memory, range(0x2000, 0x3000));
    for region in [range(0, 0), range(0x1001, 0x2fff), range(0x1800, 0x1900)] {
        let error = Placer::new(region).unwrap_err();
        assert_eq!(error, PlanError::NoRegion);
        assert_eq!(error.errno(), Errno::AddrNotAvail);
    }
}

#[test]
fn a_kind_is_placed_once() {
    let mut placer = placer_with_kernel();
    let kind = SegmentKind::Purgatory;
    let mut place = || placer.place(kind, 1, 1, PAGE, Placement::Lowest, Range::ALL);
    assert!(place().is_ok());
    assert_eq!(place(), Err(PlanError::Duplicate { kind }));
}

#[test]
fn segments_take_half_of_the_memory_at_most() {
    let finish = |ram| placer_with_kernel().finish(REGION.start(), ram);
    assert!(finish(2 * INIT_SIZE).is_ok());
    let error = finish(2 * INIT_SIZE - 1).unwrap_err();
    assert_eq!(error.errno(), Errno::Inval);
    assert_eq!(
        error,
        PlanError::HalfOfMemory {
            needed: INIT_SIZE,
            ram: 2 * INIT_SIZE - 1
        }
    );
}

#[test]
fn a_plan_has_a_verified_kernel_and_starts_in_it() {
    assert_eq!(
        placer().finish(REGION.start(), RAM).unwrap_err(),
        PlanError::NoKernel
    );
    assert_eq!(
        placer().place(
            SegmentKind::Kernel,
            1,
            1,
            PAGE,
            Placement::Lowest,
            Range::ALL
        ),
        Err(PlanError::UnverifiedKernel)
    );
    let kernel = range(256 * MIB, 256 * MIB + INIT_SIZE);
    for entry in [kernel.start() - 1, kernel.end()] {
        assert_eq!(
            placer_with_kernel().finish(entry, RAM).unwrap_err(),
            PlanError::Entry { entry, kernel }
        );
    }
}

#[derive(Clone, Debug)]
struct Request {
    len: u64,
    alignment: u64,
    placement: Placement,
    limit: Range,
}

fn request() -> impl Strategy<Value = Request> {
    let placement = prop_oneof![Just(Placement::Lowest), Just(Placement::Highest)];
    (1..12 * PAGE, 12..15_u32, placement, 0..24_u64, 0..48_u64).prop_map(
        |(len, shift, placement, from, pages)| Request {
            len,
            alignment: 1 << shift,
            placement,
            limit: range(
                REGION.start() + from * PAGE,
                REGION.start() + (from + pages) * PAGE,
            ),
        },
    )
}

proptest! {
    /// A segment gets the outermost place that is free, and is refused only when there is none.
    /// The reference tries every place.
    #[test]
    fn the_outermost_free_place_is_taken(
        pages in 1..32_u64,
        requests in prop::collection::vec(request(), 1..6),
    ) {
        let kinds = [
            SegmentKind::Initrd,
            SegmentKind::BootParams,
            SegmentKind::Elfcorehdr,
            SegmentKind::Purgatory,
            SegmentKind::PurgatoryTable,
        ];
        let region = range(REGION.start(), REGION.start() + pages * PAGE);
        let mut placer = Placer::new(region).unwrap();
        let mut taken: Vec<Range> = Vec::new();
        for (request, kind) in requests.iter().zip(kinds) {
            let len = request.len.next_multiple_of(PAGE);
            let fits = |start: &u64| {
                let memory = range(*start, *start + len);
                start.is_multiple_of(request.alignment)
                    && region.encloses(&memory)
                    && request.limit.encloses(&memory)
                    && !taken.iter().any(|other| other.overlaps(&memory))
            };
            let mut starts = (region.start()..region.end()).step_by(PAGE as usize);
            let expected = match request.placement {
                Placement::Lowest => starts.find(fits),
                Placement::Highest => starts.filter(fits).last(),
            };
            let found = placer.place(
                kind,
                request.len,
                request.len,
                request.alignment,
                request.placement,
                request.limit,
            );
            match expected {
                Some(start) => {
                    prop_assert_eq!(found.map(|segment| segment.memory), Ok(range(start, start + len)));
                    taken.push(range(start, start + len));
                }
                None => {
                    let refused = matches!(found, Err(PlanError::NoFit { .. }));
                    prop_assert!(refused);
                }
            }
        }
    }
}
