// SPDX-License-Identifier: GPL-2.0

//! Memory that the running kernel uses for what no dump needs, and that the capture kernel may use as
//! well: `crashkernel=SIZE,cma`, from 6.17 on.

use super::{
    bindings,
    kallsyms::Kallsyms, //
};
use crate::compat::prelude::*;
use core::sync::atomic::{
    AtomicUsize,
    Ordering, //
};
use kernel::ffi::c_int;
use kexec_core::{
    crashkernel::CMA_RANGES_MAX,
    types::ranges::{
        Range,
        RangeList, //
    }, //
};

/// Where the kernel has the number of its ranges; 0 where it has none.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Where it has the ranges.
static RANGES: AtomicUsize = AtomicUsize::new(0);

/// Looks for the kernel's variables, which it exports to nobody.
pub(crate) fn find() -> Result {
    let symbols = Kallsyms::find()?;
    let address = |name| symbols.address(name).unwrap_or(0) as usize;
    let (count, ranges) = (address(c"crashk_cma_cnt"), address(c"crashk_cma_ranges"));
    if count != 0 && ranges != 0 {
        RANGES.store(ranges, Ordering::Relaxed);
        COUNT.store(count, Ordering::Release);
    }
    Ok(())
}

/// The ranges. The kernel has reserved them at boot, and keeps them.
pub(crate) fn ranges() -> RangeList<CMA_RANGES_MAX> {
    let mut found = RangeList::new();
    let count = COUNT.load(Ordering::Acquire) as *const c_int;
    if count.is_null() {
        return found;
    }
    let all = RANGES.load(Ordering::Relaxed) as *const bindings::range;
    // SAFETY: It is the kernel's `int crashk_cma_cnt`, which nobody writes after boot.
    let count = unsafe { count.read() };
    for index in 0..CMA_RANGES_MAX.min(usize::try_from(count).unwrap_or(0)) {
        // SAFETY: `crashk_cma_ranges` has CMA_RANGES_MAX entries, which nobody writes after boot.
        let range = unsafe { all.add(index).read() };
        // Its end is its last byte.
        if let Some(range) = Range::new(range.start, range.end.saturating_add(1)) {
            // There is room for each, and the order is its own.
            let _ = found.push(range);
        }
    }
    found
}
