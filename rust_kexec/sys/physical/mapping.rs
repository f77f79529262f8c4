// SPDX-License-Identifier: GPL-2.0

//! Mappings of memory that this kernel does not use, and whether it does.

use crate::{
    compat::prelude::*,
    sys::bindings, //
};
use core::ptr::NonNull;
use kernel::{
    ffi::{
        c_int,
        c_ulong, //
    },
    page::PAGE_SIZE, //
};
use kexec_core::types::ranges::Range;

/// Why memory was not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unmapped {
    /// This kernel uses some of it, or would have to be asked page by page whether it does.
    InUse,
    /// Memory or address space is short, or there is no such memory.
    Failed,
}

impl From<Unmapped> for Error {
    fn from(unmapped: Unmapped) -> Self {
        match unmapped {
            Unmapped::InUse => EBUSY,
            Unmapped::Failed => ENOMEM,
        }
    }
}

/// Whether this kernel uses some of `range`, which then cannot be another kernel's.
///
/// Memory that the allocators do not own is not in use: memory that was reserved early in boot, as that of
/// the elfcorehdr is on arm64, and a page of which only a part is RAM.
pub(crate) fn is_in_use(range: Range) -> bool {
    has_system_ram(range)
        && (page_start(range.start())..range.end())
            .step_by(PAGE_SIZE)
            // SAFETY: Looks at the page's description, if there is one.
            .any(|page| unsafe { bindings::rust_kexec_page_is_in_use(page) })
}

/// The page that the byte at `address` is in.
pub(crate) fn page_at(address: u64) -> Option<Range> {
    Range::from_start_len(page_start(address), PAGE_SIZE as u64)
}

fn page_start(address: u64) -> u64 {
    address & !(PAGE_SIZE as u64 - 1)
}

/// Whether any byte of `range` belongs to a page of RAM, in the words of /proc/iomem.
fn has_system_ram(range: Range) -> bool {
    if range.is_empty() {
        return false;
    }
    let flags = bindings::IORESOURCE_SYSTEM_RAM as c_ulong;
    let any = bindings::IORES_DESC_NONE as c_ulong;
    // SAFETY: Reads the tree of resources, under its lock.
    let found =
        unsafe { bindings::region_intersects(range.start(), range.len() as usize, flags, any) };
    found != bindings::REGION_DISJOINT as c_int
}

/// The end of the physical addresses that the CPU has, as far as mapping looks at it.
fn end_of_physical_addresses() -> u64 {
    #[cfg(CONFIG_X86_64)]
    // SAFETY: Reads what was found at boot.
    return 1 << unsafe { bindings::boot_cpu_data.x86_phys_bits };
    #[cfg(not(CONFIG_X86_64))]
    u64::MAX
}

/// A mapping of physical memory that this kernel does not use.
///
/// # Invariants
///
/// `address` maps all of `range`, write-back cached.
pub(crate) struct Mapping {
    address: NonNull<u8>,
    range: Range,
}

// SAFETY: A mapping is an address that every CPU sees alike.
unsafe impl Send for Mapping {}
// SAFETY: As above; the mapping is read and written through the copy functions only.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `range`, as copy_oldmem_page() maps a page.
    ///
    /// A range of several pages fails where any byte of it is RAM: each page may then need a mapping
    /// of another kind. One page fails only where it is in use. memremap() would not do: what is RAM
    /// in part it takes for RAM, and answers with the direct map, which need not have that page.
    pub(crate) fn new(range: Range) -> Result<Self, Unmapped> {
        let one_page = page_at(range.start()).is_some_and(|page| page.encloses(&range));
        if is_in_use(range) || !one_page && has_system_ram(range) {
            return Err(Unmapped::InUse);
        }
        if range.end() > end_of_physical_addresses() {
            // The kernel would warn.
            return Err(Unmapped::Failed);
        }
        // SAFETY: Nobody uses the memory, so that no other mapping contradicts this one's kind.
        let address =
            unsafe { bindings::rust_kexec_ioremap_cache(range.start(), range.len() as usize) };
        match NonNull::new(address.cast()) {
            // INVARIANT: ioremap_cache() maps the whole range or nothing. Where arm64 answers with
            // the direct map there is one page of RAM, which is in it, also if only in part RAM:
            // the map consists of pages.
            Some(address) => Ok(Self { address, range }),
            None => Err(Unmapped::Failed),
        }
    }

    /// What is mapped.
    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// The address of the byte at physical address `address`, if it is mapped.
    pub(crate) fn address(&self, address: u64) -> Option<*const u8> {
        if !self.range.contains(address) {
            return None;
        }
        let offset = (address - self.range.start()) as usize;
        // SAFETY: `offset` is inside the mapping.
        Some(unsafe { self.address.as_ptr().add(offset) })
    }

    /// Copies from physical address `address` as much as is mapped, and says how much it was.
    pub(crate) fn copy_to(&self, address: u64, out: &mut [u8]) -> usize {
        let Some(from) = self.address(address) else {
            return 0;
        };
        let mapped = (self.range.end() - address) as usize;
        let len = mapped.min(out.len());
        // SAFETY: `from` is valid for `len` bytes, `out` for as many, and they are different
        // memory: `out` is this kernel's RAM.
        unsafe { core::ptr::copy_nonoverlapping(from, out.as_mut_ptr(), len) };
        len
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: Mapped in `new`.
        unsafe { bindings::memunmap(self.address.as_ptr().cast()) }
    }
}
