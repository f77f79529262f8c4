// SPDX-License-Identifier: GPL-2.0

//! Images that are planned beside the one that they replace.

use kexec_core::{
    plan::{
        Placement,
        Placer,
        Plan,
        PlanError,
        Room, //
    },
    types::ranges::Range,
    uapi::SegmentKind, //
};
use proptest::prelude::*;

use super::{
    PAGE,
    RAM,
    REGION, //
};
use crate::fixture::{
    bzimage_file,
    put,
    range,
    verified,
    MIB, //
};

/// The alignment of a kernel in [`bzimage_file`].
const KERNEL_ALIGNMENT: u64 = 2 * MIB;

/// The lengths of an image's segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lens {
    kernel: u64,
    elfcorehdr: u64,
    handover: [u64; 3],
    initrd: u64,
}

impl Lens {
    /// An image whose kernel and initrd have these lengths.
    fn of(kernel: u64, initrd: u64) -> Self {
        Self {
            kernel,
            elfcorehdr: 3 * PAGE,
            handover: [2 * PAGE, 10 * PAGE, PAGE],
            initrd,
        }
    }

    /// All segments in pages of `page_len` bytes, and what the kernel's alignment can cost.
    fn needed(&self, page_len: u64) -> u64 {
        let others = [self.kernel, self.elfcorehdr, self.initrd];
        let lens = others.iter().chain(&self.handover);
        lens.map(|len| len.next_multiple_of(PAGE)).sum::<u64>() + KERNEL_ALIGNMENT + 2 * page_len
    }

    /// Plans the segments in the order and with the alignments of a load.
    fn plan(&self, region: Range, room: Room, page_len: u64) -> Result<Plan, PlanError> {
        let mut file = bzimage_file();
        put(
            &mut file,
            0x260,
            &u32::try_from(self.kernel).unwrap().to_le_bytes(),
        );
        let mut placer = Placer::within(region, room.range)?;
        let kernel = placer.place_kernel(&verified(&file), room.packing)?;
        let kinds = [
            SegmentKind::Elfcorehdr,
            SegmentKind::BootParams,
            SegmentKind::Purgatory,
            SegmentKind::PurgatoryTable,
        ];
        let lens = [self.elfcorehdr].into_iter().chain(self.handover);
        for (kind, len) in kinds.into_iter().zip(lens) {
            placer.place(kind, len, len, page_len, room.packing, Range::ALL)?;
        }
        placer.place_initrd(self.initrd, room.packing, Range::ALL)?;
        placer.finish(kernel.memory.start(), RAM)
    }
}

/// The plan of an image that replaces what is at `armed`, and whether it goes beside that.
fn replace(region: Range, armed: Option<Range>, lens: Lens, page_len: u64) -> (Plan, bool) {
    let beside = armed.iter().flat_map(|armed| Room::beside(region, *armed));
    let mut plans = beside.filter_map(|room| lens.plan(region, room, page_len).ok());
    match plans.next() {
        Some(plan) => (plan, true),
        None => (
            lens.plan(region, Room::whole(region), page_len).unwrap(),
            false,
        ),
    }
}

#[test]
fn what_an_image_leaves_comes_in_two_parts_the_longer_one_first() {
    let [start, end] = [REGION.start(), REGION.end()];
    let below = |end| Room {
        range: range(start, end),
        packing: Placement::Lowest,
    };
    let above = |start| Room {
        range: range(start, end),
        packing: Placement::Highest,
    };
    for (image, rooms) in [
        (
            range(start, start + MIB),
            [above(start + MIB), below(start)],
        ),
        (range(end - MIB, end), [below(end - MIB), above(end)]),
        (
            range(start + MIB, end - 2 * MIB),
            [above(end - 2 * MIB), below(start + MIB)],
        ),
        (
            range(start + 2 * MIB, end - 2 * MIB),
            [below(start + 2 * MIB), above(end - 2 * MIB)],
        ),
        (REGION, [below(start), above(end)]),
    ] {
        assert_eq!(Room::beside(REGION, image), rooms);
    }
    assert_eq!(
        Lens::of(MIB, MIB)
            .plan(REGION, below(start), PAGE)
            .unwrap_err(),
        PlanError::NoRegion
    );
}

#[test]
fn an_image_is_packed_to_an_end_of_its_room() {
    let lens = Lens::of(8 * MIB, 5 * MIB + 1);
    let first = lens.plan(REGION, Room::whole(REGION), PAGE).unwrap();
    assert_eq!(first.region(), REGION);
    let extent = first.extent(PAGE);
    assert_eq!(extent.start(), REGION.start());
    // All segments, one after the other.
    assert_eq!(extent.len(), first.total_len());
    let [room, _] = Room::beside(REGION, extent);
    let second = lens.plan(REGION, room, PAGE).unwrap();
    assert_eq!(second.extent(PAGE).end(), REGION.end());
    assert_eq!(second.region(), REGION);
    // In pages of the kernel's, no two images share one.
    let page = 64 << 10;
    let extent = first.extent(page);
    assert_eq!(
        extent.end(),
        first.extent(PAGE).end().next_multiple_of(page)
    );
}

#[test]
fn what_does_not_fit_beside_the_armed_image_takes_its_place() {
    let region = range(REGION.start(), REGION.start() + 24 * MIB);
    let (first, _) = replace(region, None, Lens::of(8 * MIB, 6 * MIB), PAGE);
    let armed = Some(first.extent(PAGE));
    let (second, beside) = replace(region, armed, Lens::of(8 * MIB, 3 * MIB), PAGE);
    assert!(!beside);
    assert_eq!(second.extent(PAGE).start(), region.start());
    // A smaller one does.
    let (third, beside) = replace(region, armed, Lens::of(7 * MIB, MIB), PAGE);
    assert!(beside);
    assert_eq!(third.extent(PAGE).end(), region.end());
}

fn lens() -> impl Strategy<Value = Lens> {
    let handover = (1..4 * PAGE, 1..16 * PAGE, 1..2 * PAGE);
    (1..12 * MIB, 1..8 * PAGE, handover, 1..8 * MIB).prop_map(
        |(kernel, elfcorehdr, handover, initrd)| Lens {
            kernel: kernel.max(0x8000),
            elfcorehdr,
            handover: handover.into(),
            initrd,
        },
    )
}

proptest! {
    /// Images of all lengths replace each other: where the region has room for two, the next one
    /// goes beside the armed one, whatever came before, and none leaves the region.
    #[test]
    fn replacing_leaves_no_short_pieces(
        many in prop::collection::vec(lens(), 2..20),
        start in 0..64_u64,
        spare in 0..4_u64,
        page_len in prop_oneof![Just(PAGE), Just(16 << 10), Just(64 << 10)],
    ) {
        // Each pair has room, but for the kernel's alignment nothing to spare.
        let pairs = many.windows(2).map(|pair| pair[0].needed(page_len) + pair[1].needed(page_len));
        let start = REGION.start() + start * page_len;
        let end = start + (pairs.max().unwrap() + spare * page_len).next_multiple_of(page_len);
        let region = range(start, end);
        let mut armed = None;
        for lens in many {
            let (plan, beside) = replace(region, armed, lens, page_len);
            let extent = plan.extent(page_len);
            prop_assert!(region.encloses(&extent));
            prop_assert!(plan.segments().all(|segment| extent.encloses(&segment.memory)));
            if let Some(armed) = armed {
                prop_assert!(beside);
                prop_assert!(!extent.overlaps(&armed));
            }
            armed = Some(extent);
        }
    }

    /// Images of the same lengths take turns at two places.
    #[test]
    fn the_next_but_one_goes_where_this_one_was(lens in lens(), more in 0..8_u64) {
        let end = REGION.start() + 2 * lens.needed(PAGE) + more * MIB;
        let region = range(REGION.start(), end.next_multiple_of(PAGE));
        let mut armed = None;
        let mut places = Vec::new();
        for _ in 0..100 {
            let (plan, _) = replace(region, armed, lens, PAGE);
            armed = Some(plan.extent(PAGE));
            places.push(armed);
        }
        prop_assert!(places.windows(3).all(|three| three[0] == three[2] && three[0] != three[1]));
    }
}
