// SPDX-License-Identifier: GPL-2.0

//! Memory in pages from anywhere, for an image that is copied to its place when the machine reboots, and for
//! the code that copies it.

use crate::{
    arch::{
        memory::limits,
        relocator,
        Control, //
    },
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal,
        RegionError, //
    },
    sys::{
        file::Mount,
        iomem,
        scattered::{
            is_sound,
            LeftBehind,
            Pages,
            Sequence, //
        }, //
    }, //
};
use kernel::page::PAGE_SIZE;
use kexec_core::{
    contiguous::{
        take,
        Limits, //
    },
    plan::iomem::reserved_in_ram,
    scattered::Scattered,
    types::ranges::{
        without,
        Range, //
    }, //
};

/// Pages for one image and for the code that copies it. Dropping it gives them back.
pub(super) struct ScatteredMemory {
    // Dropped in this order: what is mapped is given back last.
    image: Sequence,
    control: Sequence,
    pages: Scattered<Pages>,
}

impl ScatteredMemory {
    /// Takes pages for an image of so many bytes, and chooses its place.
    pub(super) fn take(len: u64) -> Result<Self, Refusal> {
        let place = place(len)?;
        let page_len = PAGE_SIZE as u64;
        let count = (place.len() / page_len) as usize + relocator::control_pages(place);
        let pages = Pages::take(count).map_err(|had| RegionError::TooLittleForReboot {
            wanted: count as u64 * page_len,
            available: had.0 as u64 * page_len,
        })?;
        let pages = Scattered::arrange(pages, place, page_len)?;
        Ok(Self {
            // SAFETY: The pages are RAM that was allocated, and are given back after the mapping is gone.
            image: unsafe { Sequence::new(pages.image()) }?,
            // SAFETY: As above.
            control: unsafe { Sequence::new(pages.control()) }?,
            pages,
        })
    }

    /// Where the image is copied to.
    pub(super) fn place(&self) -> Range {
        self.pages.place()
    }

    /// Whether that is still memory.
    pub(super) fn has_place(&self) -> bool {
        is_sound(self.place())
    }

    /// Where the image's pages follow each other meanwhile.
    pub(super) fn address(&self) -> usize {
        self.image.address()
    }

    /// The addresses of the pages for the code.
    pub(super) fn control_pages(&self) -> &[u64] {
        self.pages.control()
    }

    /// The pages for the code, to be written, and the addresses of the image's.
    pub(super) fn control(&mut self) -> (Control<'_>, &[u64]) {
        let Self { control, pages, .. } = self;
        // SAFETY: The pages are this value's, which is borrowed mutably.
        let bytes = unsafe { control.bytes_mut() };
        (Control::new(bytes, pages.control()), pages.image())
    }

    /// What is in the pages for the code.
    pub(super) fn control_bytes(&self) -> &[u8] {
        // SAFETY: The pages are this value's, which is borrowed.
        unsafe { self.control.bytes() }
    }
}

/// Where so many bytes can be copied to: the highest place that the next kernel can be entered in.
fn place(len: u64) -> Result<Range, Refusal> {
    let online = iomem::online_ram()?;
    let reserved = reserved()?;
    let mut ram: KVVec<Range> = KVVec::new();
    for range in without(online.iter().copied(), &reserved) {
        ram.push(range, GFP_KERNEL)?;
    }
    let limits = Limits {
        pieces: 1,
        ..limits(&online)
    };
    let found = take(&mut LeftBehind, &ram, limits, len).map_err(|shortage| {
        RegionError::NoPlaceForReboot {
            wanted: len,
            largest: shortage.largest,
        }
    })?;
    let place = found.ranges().as_slice().first().copied();
    Ok(place.ok_or(RegionError::NoPlaceForReboot {
        wanted: len,
        largest: 0,
    })?)
}

/// What is reserved in RAM, also what was not reserved at boot, and is no page that [`LeftBehind`] sees.
// Out of line for the stack: the mount, and under it the frames of a read.
#[inline(never)]
fn reserved() -> Result<KVVec<Range>, Refusal> {
    const MISSING: MachineError = MachineError::Missing {
        what: "what is reserved in /proc/iomem",
        remedy: "use a kernel with CONFIG_PROC_FS",
    };
    /// Enough for thousands of entries.
    const TEXT_LEN: usize = 512 << 10;
    let mut text = VVec::new();
    text.extend_with(TEXT_LEN, 0, GFP_KERNEL)?;
    let proc = Mount::proc().map_err(|_| MISSING)?;
    let text = proc.read(c"iomem", &mut text).map_err(|_| MISSING)?;
    if text.len() == TEXT_LEN {
        return Err(MISSING.into());
    }
    let mut reserved = KVVec::new();
    for range in reserved_in_ram(text) {
        reserved.push(range, GFP_KERNEL)?;
    }
    Ok(reserved)
}
