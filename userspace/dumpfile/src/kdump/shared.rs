// SPDX-License-Identifier: GPL-2.0

//! What the workers that write one file have in common.

use std::{
    ops::Range,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};

use kexec_core::dump::kdump_compressed::layout::PageDescriptor;

use super::{
    known::Known,
    Geometry, //
};
use crate::{
    codec::Codec,
    order::Run, //
};

/// A file to which several workers write pages.
#[derive(Debug)]
pub struct Shared<T> {
    pub target: T,
    pub codec: Codec,
    pub level: Option<i32>,
    pub(super) geometry: Geometry,
    /// The place among all descriptors of the dump of the first one in this file.
    pub first: u64,
    /// The first byte that no page was given yet.
    pub next: AtomicU64,
    pub counts: Counts,
    pub known: Known,
}

/// How many pages were written in which way.
#[derive(Debug, Default)]
pub struct Counts {
    pub pages: AtomicU64,
    pub shared: AtomicU64,
    pub lost: AtomicU64,
}

impl<T> Shared<T> {
    /// The length of a page.
    pub fn page_len(&self) -> usize {
        self.geometry.page_len as usize
    }

    /// The descriptor of a page of zeros.
    pub fn zeros(&self) -> PageDescriptor {
        PageDescriptor {
            offset: self.geometry.data(),
            // A length of at most 64 KiB.
            len: self.geometry.page_len as u32,
            flags: 0,
        }
    }

    /// The offset of the descriptors.
    pub fn descriptors(&self) -> u64 {
        self.geometry.descriptors()
    }

    /// The places in this file of a run's descriptors; `None` if the file does not have them all.
    pub fn places(&self, run: &Run) -> Option<Range<u64>> {
        let start = run.index.checked_sub(self.first)?;
        let end = start.checked_add(run.frames.end.checked_sub(run.frames.start)?)?;
        (end <= self.geometry.descriptors).then_some(start..end)
    }

    /// Room for this many bytes of pages.
    pub fn take_room(&self, len: u64) -> u64 {
        self.next.fetch_add(len, Ordering::Relaxed)
    }
}
