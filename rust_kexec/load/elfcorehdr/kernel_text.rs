// SPDX-License-Identifier: GPL-2.0

//! Where the running kernel's text and data lie, which readers of a dump look up by their own
//! addresses.

use crate::{
    arch::memory,
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal, //
    },
    sys::file::Mount, //
};
use kexec_core::{
    dump::elfcorehdr::Load,
    plan::iomem::find,
    types::ranges::Range, //
};

/// Enough for the text of /proc/iomem on machines with thousands of entries.
const IOMEM_TEXT_LEN: usize = 512 << 10;

/// The kernel's text and data: the physical range, and where it is mapped.
///
/// The resource tree in memory names the parts too, but cannot be walked by name from a module.
// Out of line for the stack: the mount, and under it the frames of a read.
#[inline(never)]
pub(super) fn kernel_text() -> Result<Load, Refusal> {
    const MISSING: MachineError = MachineError::Missing {
        what: "the kernel's own addresses in /proc/iomem",
        remedy: "use a kernel with CONFIG_PROC_FS",
    };
    let mut text = VVec::new();
    text.extend_with(IOMEM_TEXT_LEN, 0, GFP_KERNEL)?;
    let proc = Mount::proc().map_err(|_| MISSING)?;
    let text = proc.read(c"iomem", &mut text).map_err(|_| MISSING)?;
    let (first, last) = memory::KERNEL_ENTRIES;
    let first = find(text, first).ok_or(MISSING)?;
    let last = find(text, last).ok_or(MISSING)?;
    let memory = Range::new(first.start(), last.end()).ok_or(MISSING)?;
    Ok(Load {
        virtual_address: memory::kernel_mapping(memory.start()),
        memory,
    })
}
