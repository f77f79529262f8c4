// SPDX-License-Identifier: GPL-2.0

//! The tree of physical address ranges that /proc/iomem shows.

use super::bindings;
use crate::compat::prelude::*;
use kernel::{
    alloc::AllocError,
    ffi::{
        c_int,
        c_uint,
        c_ulong,
        c_void, //
    }, //
};
use kexec_core::types::ranges::Range;

/// All memory that the running kernel uses, in ascending order.
pub(crate) fn system_ram() -> Result<KVec<Range>, AllocError> {
    ranges(
        bindings::IORES_DESC_NONE,
        bindings::IORESOURCE_SYSTEM_RAM | bindings::IORESOURCE_BUSY,
    )
}

/// The memory of the running kernel that is in use, in ascending order: not what was added and not yet
/// put online, and not what was put offline and is about to be removed.
pub(crate) fn online_ram() -> Result<KVVec<Range>, AllocError> {
    // Memory goes online and offline by whole sections; without sections it does neither.
    let section_len = bindings::MEMORY_SECTION_LEN;
    let mut online: KVVec<Range> = KVVec::new();
    for ram in &system_ram()? {
        let mut start = ram.start();
        while start < ram.end() {
            let section_end = (start | (section_len - 1)).saturating_add(1);
            let end = section_end.min(ram.end());
            // SAFETY: Looks the section's state up, which sections do not lose.
            if unsafe { bindings::rust_kexec_memory_is_online(start) } {
                let before = online.last_mut().filter(|before| before.end() == start);
                let joined = before.as_ref().map_or(start, |before| before.start());
                let piece = Range::new(joined, end).unwrap_or_default();
                match before {
                    Some(before) => *before = piece,
                    None => online.push(piece, GFP_KERNEL)?,
                }
            }
            start = end;
        }
    }
    Ok(online)
}

/// All memory of one of the kinds that the kernel has descriptions for (`IORES_DESC_`), in ascending
/// order.
pub(crate) fn described(description: c_uint) -> Result<KVec<Range>, AllocError> {
    ranges(description, bindings::IORESOURCE_MEM)
}

fn ranges(description: c_uint, flags: c_uint) -> Result<KVec<Range>, AllocError> {
    let mut walk = Walk {
        ranges: KVec::new(),
        outcome: Ok(()),
    };
    // SAFETY: `visited` gets the pointer to `walk` back, during this call only.
    unsafe {
        bindings::walk_iomem_res_desc(
            description as c_ulong,
            flags as c_ulong,
            0,
            u64::MAX,
            core::ptr::addr_of_mut!(walk).cast(),
            Some(visited),
        )
    };
    // The C function's own result says whether there was any range, which the caller sees.
    walk.outcome.map(|()| walk.ranges)
}

struct Walk {
    ranges: KVec<Range>,
    outcome: Result<(), AllocError>,
}

/// # Safety
///
/// `argument` must point to a [`Walk`] and `resource` to a resource.
unsafe extern "C" fn visited(resource: *mut bindings::resource, argument: *mut c_void) -> c_int {
    // SAFETY: By this function's contract.
    let (resource, walk) = unsafe { (&*resource, &mut *argument.cast::<Walk>()) };
    if let Some(range) = Range::new(resource.start, resource.end.saturating_add(1)) {
        walk.outcome = walk.ranges.push(range, GFP_KERNEL);
    }
    walk.outcome.is_err().into()
}

/// Memory that nobody else can request, as /proc/iomem shows.
///
/// # Invariants
///
/// The range was requested from the tree.
pub(crate) struct Requested(Range);

impl Requested {
    /// Requests memory that is in no resource, or in one that only says that it is reserved. None where
    /// somebody has requested any of it, or it is where a bus has devices.
    pub(crate) fn new(range: Range) -> Option<Self> {
        // SAFETY: The tree is the kernel's own; the name is there as long as the module, which releases
        // what it has requested.
        let resource = unsafe {
            bindings::__request_region(
                core::ptr::addr_of_mut!(bindings::iomem_resource),
                range.start(),
                range.len(),
                c"rust_kexec".as_char_ptr(),
                bindings::IORESOURCE_EXCLUSIVE as c_int,
            )
        };
        // SAFETY: The resource is there until it is released, and its parent as long.
        let parent = unsafe { resource.as_ref()?.parent.as_ref() };
        // INVARIANT: It was requested above.
        let requested = Self(range);
        let window = bindings::IORESOURCE_WINDOW as c_ulong;
        let bus = parent.is_some_and(|parent| parent.flags & window != 0);
        (!bus).then_some(requested)
    }
}

impl Drop for Requested {
    fn drop(&mut self) {
        let tree = core::ptr::addr_of_mut!(bindings::iomem_resource);
        // SAFETY: By the type's invariant, and only here.
        unsafe { bindings::__release_region(tree, self.0.start(), self.0.len()) }
    }
}
