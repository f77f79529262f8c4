// SPDX-License-Identifier: GPL-2.0

//! The part of the kernel's map of all RAM that maps the loaded image.
//!
//! The kernel can change that map for pages of its own only, so this edits the entries itself.
//! Where a block, or several under one contiguous hint, also map memory beside the region, they are
//! split up first. They stay split.
//!
//! Kernels from 6.18 on split blocks themselves while they run, on CPUs that allow it (FEAT_BBM without
//! conflict aborts), under a lock that is out of reach. Those are asked to split, by
//! split_kernel_leaf_mapping(). Where that function does nothing, only this module splits.

use super::break_before_make::{
    replace,
    NewTable, //
};
#[cfg(kernel_split_leaf_mapping)]
use crate::sys::kprobe;
use crate::{
    arch::failure,
    compat::prelude::*,
    sys::physical::{
        direct_map_address,
        View, //
    }, //
};
use core::arch::asm;
#[cfg(kernel_split_leaf_mapping)]
use kernel::error::to_result;
#[cfg(kernel_split_leaf_mapping)]
use kernel::ffi::c_int;
use kernel::ffi::c_ulong;
use kexec_core::handover::arm64::kernel_map::{
    self,
    KernelMap,
    KernelMapError,
    Unit, //
};

/// Why the map was not changed.
pub(crate) type Failure = failure::Failure<KernelMapError>;

impl From<KernelMapError> for Failure {
    fn from(error: KernelMapError) -> Self {
        Self::Map(error)
    }
}

/// The whole pages of a region in the kernel's map, in units that map nothing else.
pub(crate) struct Region {
    map: KernelMap,
    start: u64,
    end: u64,
}

/// Calls the function of this name, which kernels from 6.18 on have and do not export
/// (arch/arm64/mm/mmu.c).
#[cfg(kernel_split_leaf_mapping)]
fn split_kernel_leaf_mapping(start: c_ulong, end: c_ulong) -> Result {
    let [address] = kprobe::addresses_of([c"split_kernel_leaf_mapping"])?;
    // SAFETY: The function of this name is of this type, which asm/mmu.h says.
    let split: unsafe extern "C" fn(c_ulong, c_ulong) -> c_int =
        unsafe { core::mem::transmute(address) };
    // SAFETY: The addresses are of the map of all RAM, and at the edges of pages.
    to_result(unsafe { split(start, end) })
}

/// Older kernels do not split.
#[cfg(not(kernel_split_leaf_mapping))]
fn split_kernel_leaf_mapping(_start: c_ulong, _end: c_ulong) -> Result {
    Ok(())
}

/// Room for entries under one contiguous hint: up to 1 KiB, which is much for the stack. It is not in the map
/// of all RAM, of which the entries to be replaced may map any part.
fn group(count: usize) -> Result<VVec<u64>> {
    let mut entries = VVec::new();
    entries.extend_with(count, 0, GFP_KERNEL)?;
    Ok(entries)
}

impl Region {
    /// Finds the region and splits what maps other memory with it.
    pub(crate) fn split_off(region: View) -> Result<Self, Failure> {
        let map = kernel_map()?;
        // A page that the region only begins or ends in has other memory too.
        let pages = region.range().align_inward(map.granule().page_len());
        let pages = pages.and_then(|pages| region.part(pages));
        let pages = pages.ok_or(Failure::Split(EINVAL))?;
        let start = pages.address() as u64;
        let region = Self {
            map,
            start,
            end: start.saturating_add(pages.range().len()),
        };
        split_kernel_leaf_mapping(region.start as c_ulong, region.end as c_ulong)?;
        for edge in [region.start, region.end] {
            region.split_at(edge)?;
        }
        Ok(region)
    }

    /// Forbids all writes to it.
    pub(crate) fn make_read_only(&self) -> Result<(), Failure> {
        self.change(kernel_map::read_only)
    }

    /// Allows writes again.
    pub(crate) fn make_writable(&self) -> Result<(), Failure> {
        self.change(kernel_map::writable)
    }

    fn unit(&self, address: u64) -> Result<Unit, KernelMapError> {
        // SAFETY: The tables are the kernel's own, which do not go away.
        self.map
            .unit(address, |place| unsafe { entry_at(place).read_volatile() })
    }

    /// Splits what maps memory on both sides of an address, level by level.
    fn split_at(&self, edge: u64) -> Result<(), Failure> {
        // Each round takes off a contiguous hint or goes one level down.
        for _ in 0..2 * self.map.granule().levels() {
            match self.unit(edge) {
                Ok(unit) if unit.straddles(edge) => match self.split(&unit, edge) {
                    // The kernel has changed it in between.
                    Err(Failure::Split(error)) if error == EAGAIN => {}
                    outcome => outcome?,
                },
                // After the last byte of RAM no other memory can be mapped with it.
                Ok(_) | Err(KernelMapError::NotMapped { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(EINVAL.into())
    }

    fn split(&self, unit: &Unit, edge: u64) -> Result<(), Failure> {
        let (mut found, mut entries) = (group(unit.count)?, group(unit.count)?);
        let places = (unit.entries..).step_by(8);
        for ((found, entry), place) in found.iter_mut().zip(&mut entries).zip(places) {
            // SAFETY: As in `unit`.
            *found = unsafe { entry_at(place).read_volatile() };
            *entry = kernel_map::without_hint(*found);
        }
        let index = unit.index(edge);
        let Some(block) = entries.get_mut(index) else {
            return Err(EINVAL.into());
        };
        // For an edge between two blocks, it is enough to remove their hint.
        if edge & ((1 << unit.shift) - 1) == 0 {
            // SAFETY: The entries map what they mapped before, and the new ones are in vmalloc()'s range.
            return Ok(unsafe { replace(unit.entries, &found, &entries) }?);
        }
        let mut table = NewTable::new(self.map.granule().entries())?;
        self.map.split(*block, unit.shift, table.entries());
        *block = kernel_map::table_entry(table.give_away());
        // SAFETY: As above, one of them by way of a table.
        Ok(unsafe { replace(unit.entries, &found, &entries) }?)
    }

    /// Changes all entries of the region, which map nothing else.
    fn change(&self, new: fn(u64) -> u64) -> Result<(), Failure> {
        let mut address = self.start;
        while address < self.end {
            let unit = self.unit(address)?;
            if unit.straddles(self.start) || unit.straddles(self.end) {
                return Err(EBUSY.into());
            }
            for place in (unit.entries..).step_by(8).take(unit.count) {
                let entry = entry_at(place);
                // SAFETY: As in `unit`. Only this module changes entries that map the region alone,
                // and each region has one owner. While entries under one hint differ, the CPU may take any of
                // them (Arm ARM, D8.7.1); nobody uses the region then.
                unsafe { entry.write_volatile(new(entry.read_volatile())) };
            }
            address = unit.end();
        }
        // SAFETY: Makes all CPUs use the entries written above.
        unsafe {
            asm!(
                "dsb ishst",
                "tlbi vmalle1is",
                "dsb ish",
                "isb",
                options(nostack)
            )
        };
        Ok(())
    }
}

/// The entry at a physical address, in the kernel's map of all RAM.
fn entry_at(place: u64) -> *mut u64 {
    direct_map_address(place).cast()
}

/// The tables that this CPU uses, as every other one does.
fn kernel_map() -> Result<KernelMap, KernelMapError> {
    let (ttbr1, tcr): (u64, u64);
    // SAFETY: Reading these registers has no effect.
    unsafe {
        asm!("mrs {}, ttbr1_el1", out(reg) ttbr1, options(nomem, nostack));
        asm!("mrs {}, tcr_el1", out(reg) tcr, options(nomem, nostack));
    }
    KernelMap::new(ttbr1, tcr)
}
