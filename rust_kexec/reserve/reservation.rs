// SPDX-License-Identifier: GPL-2.0

//! The memory that is set aside, wherever it came from.

use super::run_time::RunTimeMemory;
use crate::{
    compat::prelude::*,
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::iomem, //
};
use kernel::{
    bindings,
    sync::Arc, //
};
use kexec_core::{
    types::ranges::{
        Range,
        RangeList, //
    },
    uapi::RegionSource, //
};

/// `crashkernel=` reserves one region, or with `,high` a second one for DMA below 4 GiB.
const CRASHKERNEL_REGIONS_MAX: usize = 2;

/// The memory that is set aside for a capture kernel. What was taken at run time stays so for as long as
/// this lives.
pub(crate) struct Reservation {
    // Not in place: a claim is handed on by value, and the stack is small.
    regions: KVec<Range>,
    region: Range,
    run_time: Option<Arc<RunTimeMemory>>,
}

impl Reservation {
    /// Finds what the kernel reserved at boot, in the resource tree. Where that is nothing, it is what was
    /// taken at run time.
    pub(crate) fn find(run_time: Option<&Arc<RunTimeMemory>>) -> Result<Self, Refusal> {
        let mut regions: RangeList<CRASHKERNEL_REGIONS_MAX> = RangeList::new();
        for region in &iomem::described(bindings::IORES_DESC_CRASH_KERNEL)? {
            regions.push(*region)?;
        }
        if let Some(high) = regions.as_slice().last() {
            return Self::new(regions.as_slice(), *high, None);
        }
        let run_time = run_time.ok_or(RegionError::NoReservation)?;
        let regions = run_time.ranges();
        let largest = regions.iter().max_by_key(|region| region.len());
        let largest = largest.ok_or(RegionError::NoReservation)?;
        Self::new(regions, *largest, Some(run_time.clone()))
    }

    fn new(
        all: &[Range],
        region: Range,
        run_time: Option<Arc<RunTimeMemory>>,
    ) -> Result<Self, Refusal> {
        let mut regions = KVec::new();
        regions.extend_from_slice(all, GFP_KERNEL)?;
        Ok(Self {
            regions,
            region,
            run_time,
        })
    }

    /// Finds it again.
    pub(super) fn again(&self) -> Result<Self, Refusal> {
        Self::find(self.run_time.as_ref())
    }

    /// Who has set it aside.
    pub(crate) fn source(&self) -> RegionSource {
        match self.run_time {
            None => RegionSource::Crashkernel,
            Some(_) => RegionSource::RunTime,
        }
    }

    /// The region that the image goes into: the higher one of two that the kernel reserved, and the
    /// largest one that was taken.
    pub(crate) fn region(&self) -> Range {
        self.region
    }

    /// The lower region, where the kernel reserved two.
    pub(crate) fn low_region(&self) -> Option<Range> {
        match (&self.run_time, self.regions()) {
            (None, [low, _]) => Some(*low),
            _ => None,
        }
    }

    /// How much there is in all regions, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.regions.iter().map(Range::len).sum()
    }

    /// All regions, in ascending order.
    pub(crate) fn regions(&self) -> &[Range] {
        &self.regions
    }
}
