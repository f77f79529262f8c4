// SPDX-License-Identifier: GPL-2.0

//! Which frames are kept.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    thread, //
};

use dumpfile::frames::Frames;
use kernel_memory::filter::{
    Filter,
    Level,
    Selection, //
};

use super::passes;
use crate::{
    dump::Dump,
    failure::Failure, //
};

/// Pages of x86_64, and of most arm64 kernels: where VMCOREINFO does not say.
const PAGE_SHIFT: u32 = 12;

/// What is to be left out.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// The dump level.
    pub dump_level: u8,
    /// Whether page structs are, where none of a page is of a page that is kept.
    pub unused_vmemmap: bool,
}

impl LeftOut {
    /// Nothing is.
    pub const NOTHING: Self = Self {
        dump_level: 0,
        unused_vmemmap: false,
    };
}

/// Which frames there are, and which are kept.
#[derive(Debug)]
pub struct Plan {
    /// The length of a page.
    pub page_len: u32,
    /// The frames that the dump has.
    pub memory: Frames,
    /// Those that are kept, and how many there are of each kind where it is known.
    pub selection: Selection,
    /// The kept frames in the order in which they are written.
    pub passes: Vec<Frames>,
    /// Why nothing was left out, though something should have been.
    pub unfiltered: Option<String>,
}

impl Plan {
    /// Looks at each page's description. Where there is none, everything is kept: a dump that is too large is
    /// better than none.
    pub fn make(dump: &Dump, left_out: LeftOut, threads: usize) -> Result<Self, Failure> {
        let page_len = 1 << dump.vmcoreinfo.page_shift().unwrap_or(PAGE_SHIFT);
        let memory = dump.core.frames(page_len.into());
        let level =
            Level::new(left_out.dump_level).map_err(|error| Failure::new(error.to_string()))?;
        // Whatever the level, hwpoison and offline pages are not read.
        let filter = dump.translation().and_then(|translation| {
            Filter::new(&dump.vmcoreinfo, translation, level)
                .map_err(|error| Failure::new(error.to_string()))
        });
        let (selection, unfiltered) = match filter {
            Ok(filter) => {
                let mut selection = select(&filter, dump, &memory, threads);
                if left_out.unused_vmemmap {
                    let kept = &selection.kept;
                    let unused = filter.unused_vmemmap(&dump.core, &memory, kept);
                    selection.kept = kept.without(&unused);
                }
                (selection, None)
            }
            Err(failure) => {
                let all = Selection {
                    kept: memory.clone(),
                    ..Selection::default()
                };
                (all, Some(failure.to_string()))
            }
        };
        let passes = passes::passes(dump, &selection, &memory, page_len.into());
        Ok(Self {
            page_len,
            memory,
            passes,
            selection,
            unfiltered,
        })
    }

    /// The frames that are kept.
    pub fn kept(&self) -> &Frames {
        &self.selection.kept
    }
}

/// Judges all memory by several threads, each a chunk at a time.
fn select(filter: &Filter, dump: &Dump, memory: &Frames, threads: usize) -> Selection {
    let chunks = Mutex::new(filter.chunks(memory).enumerate());
    let result = Mutex::new(Ordered::default());
    let work = || loop {
        let next = chunks.lock().ok().and_then(|mut chunks| chunks.next());
        let Some((number, chunk)) = next else {
            return;
        };
        let judged = filter.judge(&dump.core, memory, chunk);
        if let Ok(mut result) = result.lock() {
            result.add(number, judged);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    result.into_inner().unwrap_or_default().all
}

/// What was found out, in the order of the memory.
#[derive(Default)]
struct Ordered {
    all: Selection,
    next: usize,
    /// What was found out of later chunks: at most one for each thread, or as many as a slow one is behind.
    early: BTreeMap<usize, Selection>,
}

impl Ordered {
    fn add(&mut self, number: usize, selection: Selection) {
        self.early.insert(number, selection);
        while let Some(selection) = self.early.remove(&self.next) {
            self.all.append(&selection);
            self.next += 1;
        }
    }
}
