// SPDX-License-Identifier: GPL-2.0

//! The crashed kernel's memory, mapped in windows that are kept.

use crate::{
    compat::prelude::*,
    sys::physical::{
        page_at,
        Mapping,
        Unmapped, //
    }, //
};
use kernel::{
    new_mutex,
    sync::{
        Arc,
        Mutex, //
    }, //
};
use kexec_core::{
    dump::vmcore::windows::{
        AfterFailure,
        Budget,
        Windows, //
    },
    types::ranges::Range, //
};

/// Reads `out.len()` bytes at a physical address, page by page: an elfcorehdr may lie beside RAM of
/// this kernel's, or be in reserved RAM itself. For headers and notes, not for bulk.
pub(super) fn read(address: u64, out: &mut [u8]) -> Result {
    let mut address = address;
    let mut rest = out;
    while !rest.is_empty() {
        let mapping = Mapping::new(page_at(address).ok_or(EINVAL)?)?;
        let copied = mapping.copy_to(address, rest);
        rest = rest.get_mut(copied..).unwrap_or_default();
        address = mapping.range().end();
    }
    Ok(())
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
    ///
    /// Where a part of the window is RAM of this kernel's own, it is a page that is mapped; EIO says
    /// that this kernel uses that page itself.
    #[cold]
    fn map(&self, address: u64, memory: Range) -> Result<Arc<Mapping>> {
        // Unmapped here, after the lock was given back, and before the next one is mapped.
        let evicted = self.windows.lock().make_room();
        drop(evicted);
        let mut memory = memory;
        loop {
            let range = self
                .windows
                .lock()
                .range_for(address, memory)
                .ok_or(EINVAL)?;
            let mapping = Mapping::new(range)
                .and_then(|new| Arc::new(new, GFP_KERNEL).map_err(|_| Unmapped::Failed));
            match mapping {
                Ok(mapping) => {
                    let evicted = self.windows.lock().keep(range, mapping.clone());
                    drop(evicted);
                    return Ok(mapping);
                }
                Err(Unmapped::InUse) => {
                    let page = page_at(address).ok_or(EINVAL)?;
                    if page.encloses(&range) {
                        return Err(EIO);
                    }
                    memory = page.intersection(&memory).ok_or(EINVAL)?;
                }
                Err(Unmapped::Failed) => {
                    let next = self.windows.lock().after_failure();
                    match next {
                        AfterFailure::Drop(evicted) => drop(evicted),
                        AfterFailure::Retry => {}
                        AfterFailure::GiveUp => return Err(ENOMEM),
                    }
                }
            }
        }
    }
}
