// SPDX-License-Identifier: GPL-2.0

//! Mapped memory that belongs to its owner: anonymous, and locked.

use std::{
    ffi::c_void,
    num::NonZeroUsize,
    ptr::NonNull, //
};

use nix::{
    errno::Errno,
    sys::mman::{
        madvise,
        mlock,
        mmap_anonymous,
        munmap,
        MapFlags,
        MmapAdvise,
        ProtFlags, //
    },
    unistd::{
        sysconf,
        SysconfVar, //
    }, //
};

/// The size of a page.
pub fn page_size() -> nix::Result<NonZeroUsize> {
    sysconf(SysconfVar::PAGE_SIZE)?
        .and_then(|size| usize::try_from(size).ok())
        .and_then(NonZeroUsize::new)
        .ok_or(Errno::EINVAL)
}

/// A readable and writable mapping, unmapped when it is dropped.
///
/// ```
/// use guest::mapping::{page_size, Mapping};
///
/// let mut mapping = Mapping::locked(page_size()?)?;
/// assert_eq!(mapping.write(b"known contents"), Some(()));
/// assert_eq!(mapping.address() % page_size()?.get(), 0);
/// # Ok::<(), nix::errno::Errno>(())
/// ```
///
/// # Invariants
///
/// `[base, base + len)` is page-aligned, mapped readable and writable, and part of no other
/// [`Mapping`].
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<c_void>,
    len: NonZeroUsize,
}

impl Mapping {
    /// Maps `len` bytes of zeros and locks them into memory.
    pub fn locked(len: NonZeroUsize) -> nix::Result<Self> {
        let mapping = Self::anonymous(len, MapFlags::MAP_PRIVATE)?;
        mapping.lock()?;
        Ok(mapping)
    }

    /// Maps `len` bytes of zeros, with flags that choose no address.
    pub fn anonymous(len: NonZeroUsize, flags: MapFlags) -> nix::Result<Self> {
        if flags.intersects(MapFlags::MAP_FIXED | MapFlags::MAP_FIXED_NOREPLACE) {
            return Err(Errno::EINVAL);
        }
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: Without MAP_FIXED the kernel chooses addresses that nothing uses.
        let base = unsafe { mmap_anonymous(None, len, protection, flags) }?;
        // INVARIANT: It was mapped just now, for this value alone.
        Ok(Self { base, len })
    }

    /// Keeps what is mapped in memory.
    pub fn lock(&self) -> nix::Result<()> {
        // SAFETY: Locking changes no contents of the mapping.
        unsafe { mlock(self.base, self.len.get()) }
    }

    /// Asks for huge pages, which the kernel may grant where they fit.
    pub fn ask_for_huge_pages(&self) -> nix::Result<()> {
        // SAFETY: The advice changes no contents of the mapping.
        unsafe { madvise(self.base, self.len.get(), MmapAdvise::MADV_HUGEPAGE) }
    }

    /// The address of the first byte.
    pub fn address(&self) -> usize {
        self.base.as_ptr().addr()
    }

    /// The length in bytes.
    pub fn len(&self) -> NonZeroUsize {
        self.len
    }

    /// Copies `bytes` to the start of the mapping. `None` when they are longer than it.
    pub fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.write_at(0, bytes)
    }

    /// Copies `bytes` to a place in the mapping. `None` when they do not fit there.
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) -> Option<()> {
        if offset.checked_add(bytes.len())? > self.len.get() {
            return None;
        }
        // SAFETY: This is inside the mapping or at its end.
        let start = unsafe { self.base.byte_add(offset) }.cast::<u8>().as_ptr();
        // SAFETY: By the type's invariant so many bytes are mapped and writable, and no slice
        // reaches into a mapping.
        unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Some(())
    }

    /// Makes the kernel treat the pages from `offset` on as defective memory. Whoever reads them is
    /// killed.
    pub fn poison(&self, offset: usize, len: usize) -> nix::Result<()> {
        if offset
            .checked_add(len)
            .is_none_or(|end| end > self.len.get())
        {
            return Err(Errno::EINVAL);
        }
        // SAFETY: This is inside the mapping.
        let start = unsafe { self.base.byte_add(offset) };
        // SAFETY: No slice reaches into a mapping, so that only this type's methods come to what is
        // defective then.
        unsafe { madvise(start, len, MmapAdvise::MADV_HWPOISON) }
    }

    /// Cuts the mapping in two at `offset`, a multiple of the page size. The parts may be empty.
    fn split(self, offset: usize) -> (Option<Self>, Option<Self>) {
        let (base, len) = (self.base, self.len.get());
        let offset = offset.min(len);
        std::mem::forget(self);
        let part = |start: usize, end: usize| {
            // SAFETY: `start` is at most `len`, so this is inside the mapping or at its end.
            let base = unsafe { base.byte_add(start) };
            // INVARIANT: The parts do not overlap, and the whole was given up above.
            NonZeroUsize::new(end - start).map(|len| Self { base, len })
        };
        (part(0, offset), part(offset, len))
    }

    /// Takes the pages with these numbers, in ascending order, out of the mapping as mappings of
    /// one page each. The other pages are unmapped.
    pub fn into_pages(
        self,
        numbers: impl IntoIterator<Item = usize>,
        page_size: NonZeroUsize,
    ) -> Vec<Self> {
        let mut pages = Vec::new();
        let mut rest = Some(self);
        let mut passed = 0;
        for number in numbers {
            let Some(mapping) = rest.take() else { break };
            let (_unwanted, after) = mapping.split((number - passed) * page_size.get());
            let Some(mapping) = after else { break };
            let (page, after) = mapping.split(page_size.get());
            pages.extend(page);
            rest = after;
            passed = number + 1;
        }
        pages
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: By the type's invariant this range is ours alone, and nothing borrows from a
        // value that is dropped. It fails only for arguments that the invariant excludes.
        let _ = unsafe { munmap(self.base, self.len.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Mapping {
        /// Reads the byte at `offset`, which others may change.
        fn read_byte(&self, offset: usize) -> Option<u8> {
            let byte = self.byte(offset)?;
            // SAFETY: By the type's invariant the byte is mapped; any value is a valid u8.
            Some(unsafe { byte.read_volatile() })
        }

        /// Writes the byte at `offset`, which others may read. `None` when it lies outside.
        fn write_byte(&mut self, offset: usize, value: u8) -> Option<()> {
            let byte = self.byte(offset)?;
            // SAFETY: By the type's invariant the byte is mapped and writable.
            unsafe { byte.write_volatile(value) };
            Some(())
        }

        fn byte(&self, offset: usize) -> Option<NonNull<u8>> {
            if offset >= self.len.get() {
                return None;
            }
            // SAFETY: `offset` is inside the mapping.
            Some(unsafe { self.base.cast::<u8>().add(offset) })
        }
    }

    fn chunk(pages: usize) -> (Mapping, NonZeroUsize) {
        let size = page_size().expect("the page size is known");
        let len = size.checked_mul(NonZeroUsize::new(pages).expect("not 0"));
        let mapping = Mapping::locked(len.expect("it fits")).expect("a few pages can be locked");
        (mapping, size)
    }

    #[test]
    fn wanted_pages_survive_with_their_contents() {
        let (mut mapping, size) = chunk(8);
        for page in 0..8 {
            let value = u8::try_from(page).expect("small") + 1;
            mapping
                .write_byte(page * size.get(), value)
                .expect("inside");
        }
        let start = mapping.address();
        let pages = mapping.into_pages([0, 3, 4, 7], size);
        let found: Vec<_> = pages
            .iter()
            .map(|page| ((page.address() - start) / size.get(), page.read_byte(0)))
            .collect();
        assert_eq!(
            found,
            [(0, Some(1)), (3, Some(4)), (4, Some(5)), (7, Some(8))]
        );
        assert!(pages.iter().all(|page| page.len() == size));
    }

    #[test]
    fn a_byte_outside_is_out_of_reach() {
        let (mut mapping, size) = chunk(1);
        assert_eq!(mapping.read_byte(size.get() - 1), Some(0));
        assert_eq!(mapping.read_byte(size.get()), None);
        assert_eq!(mapping.write_byte(size.get(), 1), None);
    }

    #[test]
    fn a_page_beyond_the_end_is_not_there() {
        let (mapping, size) = chunk(2);
        assert_eq!(mapping.into_pages([1, 2], size).len(), 1);
    }
}
