// SPDX-License-Identifier: GPL-2.0

//! Memory that the command line or firmware has kept free, and that `region=` names.

use crate::{
    arch::memory::{
        limits,
        FirmwareMemory, //
    },
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::iomem::{
        self,
        Requested, //
    }, //
};
use kernel::page::PAGE_SIZE;
use kexec_core::types::ranges::{
    without,
    Range,
    RangeList, //
};

/// The most pieces.
pub(crate) use kexec_core::crashkernel::PLACES_MAX;

/// Memory that nobody else uses. Dropping it leaves it to whoever else is told of it.
pub(crate) struct NamedMemory {
    ranges: RangeList<PLACES_MAX>,
    /// What keeps drivers away.
    _requested: [Option<Requested>; PLACES_MAX],
}

impl NamedMemory {
    /// Takes ranges that are RAM and free, and of which a capture kernel can make use.
    pub(crate) fn take(ranges: RangeList<PLACES_MAX>) -> Result<Self, Refusal> {
        let firmware = FirmwareMemory::read()?;
        let limits = limits(firmware.ram());
        let (found, most) = (ranges.as_slice().len(), limits.pieces);
        if found > most {
            return Err(RegionError::TooMany { found, most }.into());
        }
        let mut requested = [const { None }; PLACES_MAX];
        for (range, place) in ranges.iter().zip(&mut requested) {
            *place = Some(take(*range, &firmware)?);
        }
        if !ranges.iter().any(|range| limits.within.overlaps(range)) {
            return Err(RegionError::OutOfReach(limits.within).into());
        }
        Ok(Self {
            ranges,
            _requested: requested,
        })
    }

    /// Where it is, in ascending order.
    pub(super) fn ranges(&self) -> &[Range] {
        self.ranges.as_slice()
    }
}

fn take(range: Range, firmware: &FirmwareMemory) -> Result<Requested, Refusal> {
    let page_len = PAGE_SIZE as u64;
    if range.align_inward(page_len) != Some(range) {
        return Err(RegionError::NotPages { range, page_len }.into());
    }
    if let Some(missing) = without([range], firmware.ram()).next() {
        return Err(RegionError::NotRam { range, missing }.into());
    }
    let ram = iomem::system_ram()?;
    if let Some(used) = ram.iter().find_map(|ram| ram.intersection(&range)) {
        return Err(RegionError::InUse { range, used }.into());
    }
    firmware.check_is_free(range)?;
    Ok(Requested::new(range).ok_or(RegionError::Held(range))?)
}
