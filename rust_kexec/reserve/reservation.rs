// SPDX-License-Identifier: GPL-2.0

//! The memory that `crashkernel=` reserved.

use crate::{
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::iomem, //
};
use kernel::bindings;
use kexec_core::types::ranges::{
    Range,
    RangeList, //
};

/// `crashkernel=` reserves one region, or with `,high` a second one for DMA below 4 GiB.
const REGIONS_MAX: usize = 2;

/// The memory that `crashkernel=` reserved.
pub(crate) struct Reservation {
    regions: RangeList<REGIONS_MAX>,
    region: Range,
}

impl Reservation {
    /// Finds the reserved memory in the resource tree.
    pub(crate) fn find() -> Result<Self, Refusal> {
        let mut regions = RangeList::new();
        for region in &iomem::described(bindings::IORES_DESC_CRASH_KERNEL)? {
            regions.push(*region)?;
        }
        let region = *regions
            .as_slice()
            .last()
            .ok_or(RegionError::NoReservation)?;
        Ok(Self { regions, region })
    }

    /// The region that the image goes into: the higher one, where there are two.
    pub(crate) fn region(&self) -> Range {
        self.region
    }

    /// The lower region, where there are two.
    pub(crate) fn low_region(&self) -> Option<Range> {
        match *self.regions.as_slice() {
            [low, _] => Some(low),
            _ => None,
        }
    }

    /// All regions, in ascending order.
    pub(crate) fn regions(&self) -> &[Range] {
        self.regions.as_slice()
    }
}
