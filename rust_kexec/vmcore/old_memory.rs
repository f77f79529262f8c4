// SPDX-License-Identifier: GPL-2.0

//! The crashed kernel's memory, mapped in windows that are kept.

use crate::compat::prelude::*;
use crate::sys::physical::Mapping;
use kernel::new_mutex;
use kernel::sync::{Arc, Mutex};
use kexec_core::ranges::{Range, PAGE_SIZE};
use kexec_core::vmcore::windows::{AfterFailure, Budget, Windows};

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

/// The windows that readers share.
///
/// The lock is held to look windows up, never to map or to copy: a reader whose own memory has to
/// be paged in first keeps nobody waiting. Each reader counts as a user of the window that it
/// copies from, so the mappings are those of the budget and one more for each reader.
#[pin_data]
pub(super) struct OldMemory {
    #[pin]
    windows: Mutex<Windows<Arc<Mapping>>>,
}

impl OldMemory {
    /// No window is mapped yet.
    pub(super) fn new(budget: Budget) -> impl PinInit<Self> {
        pin_init!(Self {
            windows <- new_mutex!(Windows::new(budget), "rust_kexec_windows"),
        })
    }

    /// The mapping of the byte at `address` and of what follows it in `memory`, as far as the
    /// window reaches. `memory` must contain `address`.
    pub(super) fn at(&self, address: u64, memory: Range) -> Result<Arc<Mapping>> {
        let found = self.windows.lock().find(address).cloned();
        match found {
            Some(mapping) => Ok(mapping),
            None => self.map(address, memory),
        }
    }

    /// Maps a window, with less and less of everything while memory is short.
    #[cold]
    fn map(&self, address: u64, memory: Range) -> Result<Arc<Mapping>> {
        // Unmapped here, after the lock was given back, and before the next one is mapped.
        let evicted = self.windows.lock().make_room();
        drop(evicted);
        loop {
            let range = self
                .windows
                .lock()
                .range_for(address, memory)
                .ok_or(EINVAL)?;
            let mapping = Mapping::new(range).and_then(|new| Arc::new(new, GFP_KERNEL).ok());
            if let Some(mapping) = mapping {
                let evicted = self.windows.lock().keep(range, mapping.clone());
                drop(evicted);
                return Ok(mapping);
            }
            let next = self.windows.lock().after_failure();
            match next {
                AfterFailure::Drop(evicted) => drop(evicted),
                AfterFailure::Retry => {}
                AfterFailure::GiveUp => return Err(ENOMEM),
            }
        }
    }
}
