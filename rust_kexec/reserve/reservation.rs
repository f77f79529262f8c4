// SPDX-License-Identifier: GPL-2.0

//! The memory that is set aside, wherever it came from.

use super::{
    named::NamedMemory,
    run_time::RunTimeMemory, //
};
use crate::{
    compat::prelude::*,
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::{
        crash_cma,
        iomem,
        physical::Windows, //
    }, //
};
use kernel::{
    bindings,
    sync::Arc, //
};
use kexec_core::{
    handover::UsableMemory,
    types::ranges::{
        Range,
        RangeList, //
    },
    uapi::RegionSource, //
};

/// `crashkernel=` reserves one region, or with `,high` a second one for DMA below 4 GiB.
const CRASHKERNEL_REGIONS_MAX: usize = 2;

/// Memory that the module has set aside itself.
#[derive(Clone)]
pub(crate) enum SetAside {
    /// Taken from the running kernel.
    RunTime(Arc<RunTimeMemory>),
    /// Kept free by the command line or by firmware, and named.
    Named(Arc<NamedMemory>),
}

impl SetAside {
    /// Where it is, in ascending order.
    fn ranges(&self) -> &[Range] {
        match self {
            Self::RunTime(memory) => memory.ranges(),
            Self::Named(memory) => memory.ranges(),
        }
    }

    /// How much was asked for, in bytes.
    pub(crate) fn wanted(&self) -> u64 {
        match self {
            Self::RunTime(memory) => memory.wanted(),
            Self::Named(_) => self.len(),
        }
    }

    /// How much it is, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.ranges().iter().map(Range::len).sum()
    }
}

/// The memory that is set aside for a capture kernel. What the module has set aside stays so for as long
/// as this lives.
pub(crate) struct Reservation {
    // Not in place: a claim is handed on by value, and the stack is small.
    regions: KVec<Range>,
    region: Range,
    own: Option<SetAside>,
    shared: KVec<Range>,
}

impl Reservation {
    /// Finds what the kernel reserved at boot, in the resource tree. Where that is nothing, it is what the
    /// module has set aside itself.
    pub(crate) fn find(own: Option<&SetAside>) -> Result<Self, Refusal> {
        let mut regions: RangeList<CRASHKERNEL_REGIONS_MAX> = RangeList::new();
        for region in &iomem::described(bindings::IORES_DESC_CRASH_KERNEL)? {
            regions.push(*region)?;
        }
        if let Some(high) = regions.as_slice().last() {
            return Self::new(regions.as_slice(), *high, None);
        }
        let own = own.ok_or(RegionError::NoReservation)?;
        let regions = own.ranges();
        let largest = regions.iter().max_by_key(|region| region.len());
        let largest = largest.ok_or(RegionError::NoReservation)?;
        Self::new(regions, *largest, Some(own.clone()))
    }

    fn new(all: &[Range], region: Range, own: Option<SetAside>) -> Result<Self, Refusal> {
        let mut regions = KVec::new();
        regions.extend_from_slice(all, GFP_KERNEL)?;
        let mut shared = KVec::new();
        shared.extend_from_slice(crash_cma::ranges().as_slice(), GFP_KERNEL)?;
        Ok(Self {
            regions,
            region,
            own,
            shared,
        })
    }

    /// Finds it again.
    pub(super) fn again(&self) -> Result<Self, Refusal> {
        Self::find(self.own.as_ref())
    }

    /// Who has set it aside.
    pub(crate) fn source(&self) -> RegionSource {
        match self.own {
            None => RegionSource::Crashkernel,
            Some(SetAside::RunTime(_)) => RegionSource::RunTime,
            Some(SetAside::Named(_)) => RegionSource::Named,
        }
    }

    /// Maps a part of the region, of which what is `apart` is protected by itself.
    pub(crate) fn windows(&self, part: Range, apart: Range) -> Result<Windows, Refusal> {
        match self.own {
            Some(SetAside::Named(_)) => {
                Ok(Windows::mapped(part, apart).map_err(|_| RegionError::CannotMap(part))?)
            }
            _ => Ok(Windows::direct(part, apart)?),
        }
    }

    /// The region that the image goes into: the higher one of two that the kernel reserved, and the
    /// largest one that the module has.
    pub(crate) fn region(&self) -> Range {
        self.region
    }

    /// The lower region, where the kernel reserved two.
    pub(crate) fn low_region(&self) -> Option<Range> {
        match (&self.own, self.regions()) {
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

    /// What the capture kernel may use besides: what the running kernel has for others than itself.
    pub(crate) fn shared(&self) -> &[Range] {
        &self.shared
    }

    /// All memory that the capture kernel may use.
    pub(crate) fn usable(&self) -> UsableMemory<'_> {
        UsableMemory {
            regions: self.regions(),
            shared: self.shared(),
        }
    }
}
