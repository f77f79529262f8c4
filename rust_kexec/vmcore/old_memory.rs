// SPDX-License-Identifier: GPL-2.0

//! The crashed kernel's memory, mapped in windows.

use crate::compat::prelude::*;
use crate::sys::physical::Mapping;
use kexec_core::ranges::{Range, PAGE_SIZE};

/// A window's length and alignment. Large, because mapping costs more than reading: the kernel
/// maps it with large pages.
const WINDOW_LEN: u64 = 32 << 20;

/// Reads `out.len()` bytes at a physical address. For headers and notes, not for bulk.
pub(super) fn read(address: u64, out: &mut [u8]) -> Result {
    let pages = Range::from_start_len(address, out.len() as u64)
        .and_then(|range| range.align_outward(PAGE_SIZE))
        .ok_or(EINVAL)?;
    let mapping = Mapping::new(pages).ok_or(ENOMEM)?;
    if mapping.copy_to(address, out) == out.len() {
        Ok(())
    } else {
        Err(EIO)
    }
}

/// One window onto the memory, which moves to where it is read.
pub(super) struct Window {
    mapping: Option<Mapping>,
}

impl Window {
    /// A window that is nowhere yet.
    pub(super) const fn new() -> Self {
        Self { mapping: None }
    }

    /// The mapping of the byte at `address` and of what follows it in `memory`, as far as the
    /// window reaches. `memory` must contain `address`.
    pub(super) fn at(&mut self, address: u64, memory: Range) -> Result<&Mapping> {
        let there = |mapping: &Mapping| mapping.range().contains(address);
        if !self.mapping.as_ref().is_some_and(there) {
            // The old one goes first, so that two never cost address space at the same time.
            self.mapping = None;
            let start = address & !(WINDOW_LEN - 1);
            let window = Range::from_start_len(start, WINDOW_LEN)
                .and_then(|window| window.intersection(&memory))
                .ok_or(EINVAL)?;
            self.mapping = Mapping::new(window);
        }
        self.mapping.as_ref().ok_or(ENOMEM)
    }
}
