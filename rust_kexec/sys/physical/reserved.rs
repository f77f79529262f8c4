// SPDX-License-Identifier: GPL-2.0

//! Memory that was set aside for us, and where this kernel sees it: in its map of all RAM, or in mappings
//! of our own, where that map lacks it or has it in pages from anywhere.

use super::{
    address::direct_map_address,
    mapping::{
        Mapping,
        Unmapped, //
    }, //
};
use crate::compat::prelude::*;
use core::{
    ptr::NonNull,
    sync::atomic::AtomicU64, //
};
use kernel::alloc::AllocError;
use kexec_core::types::ranges::Range;

/// The parts that an image's memory is seen in: what is write-protected, what has a protection of its
/// own, and the rest.
const PARTS_MAX: usize = 3;

/// The address at which this kernel sees a range of memory, for as long as it is mapped there.
#[derive(Clone, Copy, Default)]
pub(crate) struct View {
    range: Range,
    // A number, as it is the same for every CPU.
    address: usize,
}

impl View {
    /// What is seen.
    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// Where the first byte is.
    pub(crate) fn address(&self) -> usize {
        self.address
    }

    /// A part of it.
    pub(crate) fn part(&self, part: Range) -> Option<Self> {
        // An empty view is none.
        if self.range.is_empty() || !self.range.encloses(&part) {
            return None;
        }
        let offset = part.start().wrapping_sub(self.range.start());
        Some(Self {
            range: part,
            address: self.address.wrapping_add(offset as usize),
        })
    }
}

/// The views of an image's memory, or of a part of it.
///
/// # Invariants
///
/// `list` points to the list of the memory's [`Windows`], which are there as long as this is used.
#[derive(Clone, Copy)]
pub(crate) struct Views {
    range: Range,
    // A pointer, because what has it is handed on by value, and the stack is small.
    list: NonNull<List>,
}

type List = [View; PARTS_MAX];

// SAFETY: The list does not change, and every CPU sees it and the memory at the same addresses.
unsafe impl Send for Views {}
// SAFETY: As above.
unsafe impl Sync for Views {}

impl Views {
    fn list(&self) -> &List {
        // SAFETY: By the type's invariant.
        unsafe { self.list.as_ref() }
    }

    /// Those that there are, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = View> + '_ {
        let all = self.list().iter();
        all.filter_map(|view| view.part(view.range.intersection(&self.range)?))
    }

    /// The view of a range that is in one part.
    fn of(&self, range: Range) -> Option<View> {
        if !self.range.encloses(&range) {
            return None;
        }
        self.list().iter().find_map(|view| view.part(range))
    }

    /// The bytes of a range that is in one part.
    ///
    /// # Safety
    ///
    /// Nobody may write to the memory for as long as the bytes are used.
    pub(crate) unsafe fn bytes<'a>(&self, range: Range) -> Option<&'a [u8]> {
        let view = self.of(range)?;
        let (address, len) = (view.address as *const u8, range.len() as usize);
        // SAFETY: It is mapped, by the type's invariant, and not written to by this function's contract.
        Some(unsafe { core::slice::from_raw_parts(address, len) })
    }
}

/// Memory of an image, mapped for as long as this lives.
pub(crate) struct Windows(KBox<Panes>);

struct Panes {
    range: Range,
    list: List,
    mappings: [Option<Mapping>; PARTS_MAX],
}

impl Windows {
    /// Memory that the kernel's map of all RAM has.
    pub(crate) fn direct(range: Range, apart: Range) -> Result<Self, AllocError> {
        let mut windows = Self::closed(range)?;
        for (view, part) in windows.0.list.iter_mut().zip(parts(range, apart)) {
            *view = View {
                range: part,
                address: direct_map_address(part.start()) as usize,
            };
        }
        Ok(windows)
    }

    /// Maps memory that the kernel's map of all RAM lacks. No entry of a page table maps both what is
    /// `apart` and what is not.
    pub(crate) fn mapped(range: Range, apart: Range) -> Result<Self, Unmapped> {
        let mut windows = Self::closed(range).map_err(|_| Unmapped::Failed)?;
        let Panes { list, mappings, .. } = &mut *windows.0;
        let places = list.iter_mut().zip(mappings);
        for ((view, place), part) in places.zip(parts(range, apart)) {
            if part.is_empty() {
                continue;
            }
            let mapping = place.insert(Mapping::new(part)?);
            let address = mapping.address(part.start()).ok_or(Unmapped::Failed)?;
            *view = View {
                range: part,
                address: address as usize,
            };
        }
        Ok(windows)
    }

    /// An image's memory that is elsewhere until it is copied to `range`: where this kernel sees it.
    pub(crate) fn elsewhere(range: Range, address: usize) -> Result<Self, AllocError> {
        let mut windows = Self::closed(range)?;
        if let Some(view) = windows.0.list.first_mut() {
            *view = View { range, address };
        }
        Ok(windows)
    }

    fn closed(range: Range) -> Result<Self, AllocError> {
        let panes = Panes {
            range,
            list: [View::default(); PARTS_MAX],
            mappings: [const { None }; PARTS_MAX],
        };
        Ok(Self(KBox::new(panes, GFP_KERNEL)?))
    }

    /// What is mapped.
    pub(crate) fn range(&self) -> Range {
        self.0.range
    }

    /// Access to it.
    ///
    /// # Safety
    ///
    /// The memory must be reserved for us, and mapped where the windows say. What is returned, and its views,
    /// must not outlive this, and nobody else may read or write the memory while it lives.
    pub(crate) unsafe fn memory(&self) -> ReservedMemory {
        // INVARIANT: The caller vouches for it. The list is in a box, which does not move.
        ReservedMemory(Views {
            range: self.0.range,
            list: NonNull::from(&self.0.list),
        })
    }
}

/// `range` without `apart`, which comes between.
fn parts(range: Range, apart: Range) -> [Range; PARTS_MAX] {
    let part = |start, end| Range::new(start, end).unwrap_or_default();
    match range.encloses(&apart) && !apart.is_empty() {
        true => [
            part(range.start(), apart.start()),
            apart,
            part(apart.end(), range.end()),
        ],
        false => [range, Range::default(), Range::default()],
    }
}

/// Write access to memory that was set aside for us.
///
/// # Invariants
///
/// It is memory that the kernel uses for nothing else, and this is the only access to it.
pub(crate) struct ReservedMemory(Views);

impl ReservedMemory {
    /// Access to a part.
    ///
    /// # Safety
    ///
    /// Nobody else may read or write the part while what is returned lives, which must not outlive the
    /// memory's [`Windows`].
    pub(crate) unsafe fn part(&self, part: Range) -> Option<Self> {
        let Self(Views { range, list }) = self;
        // INVARIANT: The caller vouches for it.
        let part = Views {
            range: part,
            list: *list,
        };
        range.encloses(&part.range).then_some(Self(part))
    }

    /// The bytes of `part`, or none if `part` is not inside one view of the memory.
    pub(crate) fn bytes(&mut self, part: Range) -> Option<&mut [u8]> {
        let (address, len) = (self.0.of(part)?.address, part.len() as usize);
        // SAFETY: By the type's invariant the memory is ours, and it is mapped; the slice borrows `self`
        // mutably, so there is one at a time.
        Some(unsafe { core::slice::from_raw_parts_mut(address as *mut u8, len) })
    }

    /// The 64-bit word at `address`, for a store that others see whole.
    pub(crate) fn word(&mut self, address: u64) -> Option<&AtomicU64> {
        let word = Range::from_start_len(address, size_of::<AtomicU64>() as u64)?;
        let bytes = self.bytes(word)?;
        // SAFETY: Any bytes make a number, and the slice is borrowed mutably.
        match unsafe { bytes.align_to::<AtomicU64>() } {
            ([], [word], []) => Some(word),
            _ => None,
        }
    }

    /// The memory that it is.
    pub(crate) fn range(&self) -> Range {
        self.0.range
    }

    /// Where it is mapped.
    pub(crate) fn views(&self) -> Views {
        self.0
    }
}
