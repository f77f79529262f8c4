// SPDX-License-Identifier: GPL-2.0

//! Physical memory: where an address of the kernel's lies, and views of memory by its address.

use core::ptr::NonNull;
use kernel::bindings;
use kernel::ffi::c_void;
use kexec_core::ranges::Range;

extern "C" {
    fn rust_kexec_virt_to_phys(address: *const c_void) -> u64;
    fn rust_kexec_phys_to_virt(address: u64) -> *mut c_void;
    fn rust_kexec_ram_pages() -> u64;
    fn rust_kexec_memremap_write_back() -> kernel::ffi::c_ulong;
}

/// How many bytes of memory the kernel has.
pub(crate) fn ram_len() -> u64 {
    // SAFETY: Reads a counter.
    let pages = unsafe { rust_kexec_ram_pages() };
    pages.saturating_mul(kernel::page::PAGE_SIZE as u64)
}

/// The physical address of kmalloc()ed memory.
pub(crate) fn address_of(bytes: &[u8]) -> u64 {
    // SAFETY: Pure arithmetic on an address of the direct map.
    unsafe { rust_kexec_virt_to_phys(bytes.as_ptr().cast()) }
}

/// Where the direct map of all RAM has this physical address. Pure arithmetic: whether there is
/// memory is the caller's business.
pub(crate) fn direct_map_address(address: u64) -> *mut u8 {
    // SAFETY: Pure arithmetic.
    unsafe { rust_kexec_phys_to_virt(address).cast() }
}

/// Write access to memory that the kernel reserved for us, through the direct map.
///
/// # Invariants
///
/// `range` is memory that the kernel uses for nothing else, and this is the only view of it.
pub(crate) struct ReservedMemory {
    range: Range,
}

impl ReservedMemory {
    /// Takes the region over.
    ///
    /// # Safety
    ///
    /// `range` must be directly mapped memory that the kernel set aside and that nobody else
    /// reads or writes while the value lives.
    pub(crate) unsafe fn new(range: Range) -> Self {
        // INVARIANT: The caller vouches for it.
        Self { range }
    }

    /// The bytes of `part`, or none if `part` is not inside the region.
    pub(crate) fn bytes(&mut self, part: Range) -> Option<&mut [u8]> {
        if !self.range.encloses(&part) {
            return None;
        }
        let address = direct_map_address(part.start());
        // SAFETY: By the type's invariant the memory is ours; the slice borrows `self` mutably,
        // so there is one at a time.
        Some(unsafe { core::slice::from_raw_parts_mut(address, part.len() as usize) })
    }
}

/// A mapping of physical memory that is not this kernel's RAM.
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
    /// Maps `range`, or fails where it is RAM of this kernel's own or address space has run out.
    pub(crate) fn new(range: Range) -> Option<Self> {
        // SAFETY: memremap() checks the range.
        let address = unsafe {
            bindings::memremap(
                range.start(),
                range.len() as usize,
                rust_kexec_memremap_write_back(),
            )
        };
        // INVARIANT: memremap() maps the whole range or nothing.
        NonNull::new(address.cast()).map(|address| Self { address, range })
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
