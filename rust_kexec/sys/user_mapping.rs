// SPDX-License-Identifier: GPL-2.0

//! A mapping of a file into a process, while it is being made.

use super::{
    bindings,
    page_fault::{
        page_number,
        ByAccesses as _,
        FaultOperations,
        LARGE_PAGES, //
    }, //
};
use crate::compat::prelude::*;
use core::{
    marker::PhantomData,
    mem::zeroed,
    ptr::{
        self,
        addr_of,
        NonNull, //
    }, //
};
use kernel::{
    error::from_err_ptr,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    },
    page::PAGE_SIZE, //
};
use kexec_core::{
    dump::vmcore::large_pages::large_part,
    types::ranges::Range, //
};

/// A mapping that nothing is in yet.
///
/// # Invariants
///
/// `vma` is a struct vm_area_struct that is valid, and nobody else's, for `'a`. Its file has the
/// contents that `by_accesses` reads.
pub(crate) struct UserMapping<'a> {
    vma: NonNull<bindings::vm_area_struct>,
    /// The operations of a mapping of which accesses map parts.
    by_accesses: &'static bindings::vm_operations_struct,
    /// Whether the mapping is one.
    is_by_accesses: bool,
    _area: PhantomData<&'a mut bindings::vm_area_struct>,
}

impl<'a> UserMapping<'a> {
    /// Takes the kernel's structure over from a file below /proc.
    ///
    /// A file below /proc owns no module: as long as it is there the kernel itself keeps the module.
    /// So the mapping gets a file of its own, with which the kernel lets the module go when none of its
    /// code runs any more. ENOENT says that the module is being removed.
    ///
    /// # Safety
    ///
    /// `vma` must be valid, and used by nobody else, while the value lives. The contents must live
    /// while the module does.
    pub(super) unsafe fn new<T: FaultOperations>(
        vma: *mut bindings::vm_area_struct,
        contents: &T,
    ) -> Result<Self> {
        let vma = NonNull::new(vma).ok_or(EINVAL)?;
        let (name, flags) = (c"[vmcore]".as_char_ptr(), bindings::O_RDONLY as c_int);
        let contents = ptr::from_ref(contents).cast_mut().cast();
        // SAFETY: The name and the operations are statics; the file is the area's from then on.
        unsafe {
            let file = from_err_ptr(bindings::anon_inode_getfile(
                name,
                ptr::from_ref(&MAPPED.0),
                contents,
                flags,
            ))?;
            bindings::vma_set_file(vma.as_ptr(), file);
            bindings::fput(file);
        }
        // INVARIANT: The caller vouches for the area; its file has the contents.
        Ok(Self {
            vma,
            by_accesses: T::BY_ACCESSES,
            is_by_accesses: false,
            _area: PhantomData,
        })
    }
}

/// A table of C functions in a static.
struct Table<T>(T);

// SAFETY: The kernel only reads it.
unsafe impl<T> Sync for Table<T> {}

/// The file that a mapping has.
static MAPPED: Table<bindings::file_operations> = Table(bindings::file_operations {
    // SAFETY: Takes an address. Newer compilers know.
    #[allow(unused_unsafe)]
    owner: unsafe { addr_of!(bindings::__this_module).cast_mut() },
    // SAFETY: Zeros stand for operations that are not there.
    ..unsafe { zeroed() }
});

/// A mapping of which nothing is left to accesses. Without operations it would take faults for anonymous
/// memory's.
static FILLED: Table<bindings::vm_operations_struct> =
    // SAFETY: As above.
    Table(unsafe { zeroed() });

impl UserMapping<'_> {
    /// How many bytes are to be mapped, in whole pages.
    pub(crate) fn len(&self) -> u64 {
        // SAFETY: By the type's invariant. The union's other part is for areas that are gone.
        let place = unsafe { self.vma.as_ref().__bindgen_anon_1.__bindgen_anon_1 };
        (place.vm_end - place.vm_start) as u64
    }

    /// The address of its first byte.
    fn start(&self) -> u64 {
        // SAFETY: As in `len`.
        unsafe { self.vma.as_ref().__bindgen_anon_1.__bindgen_anon_1 }.vm_start as u64
    }

    /// From where on in the file, in bytes, if a number can tell.
    pub(crate) fn offset(&self) -> Option<u64> {
        // SAFETY: By the type's invariant.
        let page = unsafe { self.vma.as_ref() }.vm_pgoff as u64;
        page.checked_mul(PAGE_SIZE as u64)
    }

    /// Whether the process asks for more than reading.
    pub(crate) fn is_writable_or_executable(&self) -> bool {
        // SAFETY: By the type's invariant. The union's parts are one and the same.
        let flags = unsafe { self.vma.as_ref().__bindgen_anon_2.vm_flags };
        flags & bindings::VM_WRITE_OR_EXEC != 0
    }

    /// Sees to it that mprotect(2) cannot ask for more later. Only where the mapping is of physical
    /// memory `alone` can parts be left to the first access.
    pub(crate) fn keep_read_only(&mut self, alone: bool) {
        let (flags, operations) = match alone {
            true => (bindings::VM_OLD_MEMORY, self.by_accesses),
            // Pages of our own, and memory that has no struct page.
            false => (bindings::VM_OLD_MEMORY | bindings::VM_MIXEDMAP, &FILLED.0),
        };
        self.is_by_accesses = alone;
        let vma = self.vma.as_ptr();
        // SAFETY: By the type's invariant; the operations are statics.
        unsafe {
            bindings::rust_kexec_vm_flags_mod(vma, flags, bindings::VM_MAY_WRITE_OR_EXEC);
            (*vma).vm_ops = operations;
        }
    }

    /// The part of `memory`, which is to be `at` bytes after the mapping's start, that the
    /// first accesses can map with large pages.
    pub(crate) fn large_part(&self, at: u64, memory: Range) -> Option<Range> {
        match LARGE_PAGES && self.is_by_accesses {
            true => large_part(memory, self.start().checked_add(at)?),
            false => None,
        }
    }

    /// Maps physical memory, in whole pages that are not RAM of this kernel's own, `at` bytes
    /// after the mapping's start.
    pub(crate) fn map_memory(&mut self, at: u64, memory: Range) -> Result {
        self.check_inside(at, memory.len())?;
        let (vma, first) = (self.vma.as_ptr(), page_number(memory.start()));
        if memory.len() != self.len() {
            return self.map_frames(at, memory.len(), first, 1);
        }
        // remap_pfn_range() for whole areas only. For a part of one, x86 looks every page up
        // (track_pfn_remap(), pfnmap_track() from 6.16 on), takes pages for uncached that nobody else has
        // mapped, and fails where there are pages of both kinds.
        let (start, len) = (self.start() as c_ulong, memory.len() as c_ulong);
        // SAFETY: By the type's invariant; the pages are inside the mapping, and not mapped yet.
        check(unsafe { bindings::remap_pfn_range(vma, start, first, len, (*vma).vm_page_prot) })
    }

    /// Maps `len` bytes of zeros, in whole pages, `at` bytes after the mapping's start.
    pub(crate) fn map_zeros(&mut self, at: u64, len: u64) -> Result {
        self.check_inside(at, len)?;
        // SAFETY: Looks a page up that the kernel always has.
        self.map_frames(at, len, unsafe { bindings::rust_kexec_zero_frame() }, 0)
    }

    /// Maps `len` bytes of page frames from `first` on, each `step` after the one before.
    fn map_frames(&mut self, at: u64, len: u64, first: c_ulong, step: c_ulong) -> Result {
        // SAFETY: By the type's invariant.
        let (memory_map, protection) = unsafe {
            let vma = self.vma.as_ref();
            (vma.vm_mm, vma.vm_page_prot)
        };
        let mut frames = Frames {
            memory_map,
            protection,
            next: first,
            step,
        };
        let start = (self.start() + at) as c_ulong;
        let context = ptr::from_mut(&mut frames).cast();
        // SAFETY: By the type's invariant; the pages are inside the mapping, and not mapped yet. The
        // function gets its own context.
        check(unsafe {
            bindings::apply_to_page_range(
                memory_map,
                start,
                len as c_ulong,
                Some(map_frame),
                context,
            )
        })
    }

    /// Maps pages of vmalloc()ed memory, `at` bytes after the mapping's start. The process
    /// keeps the pages for as long as it has them mapped.
    pub(crate) fn map_pages(&mut self, at: u64, bytes: &[u8]) -> Result {
        for (index, page) in bytes.chunks(PAGE_SIZE).enumerate() {
            let at = at + (index * PAGE_SIZE) as u64;
            // SAFETY: By the type's invariant; the kernel finds the page by its address, and checks
            // that it is inside the mapping.
            check(unsafe {
                let page = bindings::vmalloc_to_page(page.as_ptr().cast());
                bindings::vm_insert_page(self.vma.as_ptr(), (self.start() + at) as c_ulong, page)
            })?;
        }
        Ok(())
    }

    /// Refuses what is not one or more whole pages inside the mapping.
    fn check_inside(&self, at: u64, len: u64) -> Result {
        let in_pages = (at | len) % PAGE_SIZE as u64 == 0;
        match at.checked_add(len) {
            Some(end) if in_pages && len > 0 && end <= self.len() => Ok(()),
            _ => Err(EINVAL),
        }
    }
}

/// The page frames that are being mapped.
struct Frames {
    memory_map: *mut bindings::mm_struct,
    protection: bindings::pgprot_t,
    next: c_ulong,
    step: c_ulong,
}

/// Has an entry of a page table map the next frame.
///
/// # Safety
///
/// `frames` must point to [`Frames`], and `entry` be that of `address` in the process's tables, with
/// their lock held.
unsafe extern "C" fn map_frame(
    entry: *mut bindings::pte_t,
    address: c_ulong,
    frames: *mut c_void,
) -> c_int {
    // SAFETY: By this function's contract.
    let frames = unsafe { &mut *frames.cast::<Frames>() };
    let (frame, protection) = (frames.next, frames.protection);
    // SAFETY: As above.
    unsafe { bindings::rust_kexec_set_pte(frames.memory_map, address, entry, frame, protection) };
    frames.next += frames.step;
    0
}

fn check(result: c_int) -> Result {
    match result {
        0 => Ok(()),
        // The error of mmap(2) where page tables cannot be had.
        _ => Err(EAGAIN),
    }
}
