// SPDX-License-Identifier: GPL-2.0

//! The part of the kernel's map of all RAM that maps the loaded image.
//!
//! The kernel exports no function that makes such memory read-only: set_memory_ro() is out of reach. So
//! the entries are edited here, where lookup_address() finds them.
//!
//! A large page that also maps memory beside the region must be split first. The kernel splits one
//! when part of it is to be cached in another way. So the region's own first and last page are made
//! uncached for a moment. The large page stays split.

use super::port;
use crate::{
    arch::failure,
    compat::prelude::*,
    sys::{
        bindings,
        physical::View, //
    }, //
};
use core::{
    fmt,
    ptr::NonNull,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_uint,
        c_ulong,
        c_void, //
    },
    page::PAGE_SIZE, //
};

// Bits of an entry (Intel SDM volume 3, "4-Level Paging and 5-Level Paging").
const PRESENT: u64 = 1 << 0;
const WRITABLE: u64 = 1 << 1;
/// Left in a read-only entry, it would make the page a shadow stack.
const DIRTY: u64 = 1 << 6;

const PAGE_SHIFT: u32 = 12;
const LEVEL_BITS: u32 = 9;

/// Why the map was not changed.
pub(crate) type Failure = failure::Failure<NotMapped>;

/// There is no memory at the address.
pub(crate) struct NotMapped(usize);

impl fmt::Display for NotMapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kernel does not map {:#x}", self.0)
    }
}

/// The entry of a page table that maps an address, and the addresses that it maps.
struct Mapping {
    entry: NonNull<u64>,
    start: usize,
    end: usize,
}

impl Mapping {
    fn of(address: usize) -> Result<Self, Failure> {
        let mut level: c_uint = 0;
        // SAFETY: Looks the address up in the kernel's own tables, of which those for RAM do not go
        // away, and those for a mapping of ours not before it does.
        let entry = unsafe { bindings::lookup_address(address as c_ulong, &mut level) };
        let not_mapped = Failure::Map(NotMapped(address));
        let Some(entry) = NonNull::new(entry.cast::<u64>()) else {
            return Err(not_mapped);
        };
        let above_pages = level.saturating_sub(bindings::pg_level_PG_LEVEL_4K);
        let len = 1_usize << (PAGE_SHIFT + LEVEL_BITS * above_pages);
        let mapping = Self {
            entry,
            start: address & !(len - 1),
            end: (address | (len - 1)).saturating_add(1),
        };
        match mapping.entry().load(Ordering::Relaxed) & PRESENT {
            0 => Err(not_mapped),
            _ => Ok(mapping),
        }
    }

    fn entry(&self) -> &AtomicU64 {
        // SAFETY: Where the kernel found it; the CPU may set flags in it meanwhile.
        unsafe { self.entry.cast::<AtomicU64>().as_ref() }
    }
}

/// The whole pages of a region in the kernel's map, in mappings of nothing else.
pub(crate) struct Region {
    start: usize,
    end: usize,
}

impl Region {
    /// Finds the region and splits what maps other memory with it.
    pub(crate) fn split_off(region: View) -> Result<Self, Failure> {
        // A page that the region only begins or ends in has other memory too.
        let pages = region.range().align_inward(PAGE_SIZE as u64);
        let pages = pages.and_then(|pages| region.part(pages)).ok_or(EINVAL)?;
        let start = pages.address();
        let region = Self {
            start,
            end: start.saturating_add(pages.range().len() as usize),
        };
        for page in [region.start, region.end.saturating_sub(PAGE_SIZE)] {
            region.split_at(page)?;
        }
        Ok(region)
    }

    /// Splits what maps a page of the region, if it maps other memory too.
    fn split_at(&self, page: usize) -> Result<(), Failure> {
        if self.encloses(&Mapping::of(page)?) {
            return Ok(());
        }
        // SAFETY: The page is ours, and no device uses it.
        to_result(unsafe { bindings::set_memory_uc(page as c_ulong, 1) })?;
        // SAFETY: As above: as it was before.
        to_result(unsafe { bindings::set_memory_wb(page as c_ulong, 1) })?;
        match self.encloses(&Mapping::of(page)?) {
            true => Ok(()),
            false => Err(EINVAL.into()),
        }
    }

    fn encloses(&self, mapping: &Mapping) -> bool {
        self.start <= mapping.start && mapping.end <= self.end
    }

    /// Forbids all writes to it.
    pub(crate) fn make_read_only(&self) -> Result<(), Failure> {
        self.change(|entry| {
            entry.fetch_and(!(WRITABLE | DIRTY), Ordering::Relaxed);
        })
    }

    /// Allows writes again.
    pub(crate) fn make_writable(&self) -> Result<(), Failure> {
        self.change(|entry| {
            entry.fetch_or(WRITABLE | DIRTY, Ordering::Relaxed);
        })
    }

    /// Changes all entries of the region.
    fn change(&self, change: impl Fn(&AtomicU64)) -> Result<(), Failure> {
        let mut address = self.start;
        while address < self.end {
            let mapping = Mapping::of(address)?;
            change(mapping.entry());
            address = mapping.end;
        }
        // SAFETY: Makes all CPUs use the entries written above. Interrupts are on.
        unsafe { bindings::rust_kexec_call_on_all_cpus(Some(flush_translations)) };
        Ok(())
    }
}

/// Forgets what this CPU knows of page tables.
extern "C" fn flush_translations(_: *mut c_void) {
    port::flush_translations();
}
