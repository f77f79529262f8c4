// SPDX-License-Identifier: GPL-2.0

//! The tree of physical address ranges that /proc/iomem shows.

use crate::compat::prelude::*;
use kernel::alloc::AllocError;
use kernel::bindings;
use kernel::ffi::{c_int, c_ulong, c_void};
use kexec_core::ranges::Range;

/// The kinds of memory that are looked for.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Memory that the running kernel uses.
    SystemRam,
    /// What crashkernel= reserved.
    CrashKernel,
    /// Tables that ACPI may reclaim.
    #[cfg(CONFIG_X86_64)]
    AcpiTables,
    /// Memory that ACPI keeps.
    #[cfg(CONFIG_X86_64)]
    AcpiNonVolatile,
    /// What firmware keeps for itself.
    #[cfg(CONFIG_X86_64)]
    Reserved,
}

impl Kind {
    fn description(self) -> c_ulong {
        let description = match self {
            Self::SystemRam => bindings::IORES_DESC_NONE,
            Self::CrashKernel => bindings::IORES_DESC_CRASH_KERNEL,
            #[cfg(CONFIG_X86_64)]
            Self::AcpiTables => bindings::IORES_DESC_ACPI_TABLES,
            #[cfg(CONFIG_X86_64)]
            Self::AcpiNonVolatile => bindings::IORES_DESC_ACPI_NV_STORAGE,
            #[cfg(CONFIG_X86_64)]
            Self::Reserved => bindings::IORES_DESC_RESERVED,
        };
        description as c_ulong
    }

    fn flags(self) -> c_ulong {
        let flags = match self {
            Self::SystemRam => bindings::IORESOURCE_SYSTEM_RAM | bindings::IORESOURCE_BUSY,
            _ => bindings::IORESOURCE_MEM,
        };
        flags as c_ulong
    }
}

/// All ranges of one kind, in ascending order.
pub(crate) fn ranges(kind: Kind) -> Result<KVec<Range>, AllocError> {
    let mut walk = Walk {
        ranges: KVec::new(),
        outcome: Ok(()),
    };
    // SAFETY: `visited` gets the pointer to `walk` back, during this call only.
    unsafe {
        bindings::walk_iomem_res_desc(
            kind.description(),
            kind.flags(),
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
