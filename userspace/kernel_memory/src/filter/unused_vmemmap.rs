// SPDX-License-Identifier: GPL-2.0

//! Which frames hold nothing but the page structs of frames that a dump does not have.

use std::ops::Range;

use dumpfile::{
    frames::Frames,
    memory::PhysicalMemory, //
};

use crate::translation::Place;

use super::facts::Facts;

/// Frames that hold page structs.
pub struct UnusedVmemmap<'a, M> {
    facts: &'a Facts,
    memory: &'a M,
    kept: &'a Frames,
    /// What holds structs of frames that are not kept only.
    unused: Vec<Range<u64>>,
    /// What holds others. The kernel maps some frames at several places: the structs of a huge page
    /// but for the first ones are alike.
    used: Vec<Range<u64>>,
}

impl<'a, M: PhysicalMemory> UnusedVmemmap<'a, M> {
    /// Nothing has been looked at yet.
    pub fn new(facts: &'a Facts, memory: &'a M, kept: &'a Frames) -> Self {
        Self {
            facts,
            memory,
            kept,
            unused: Vec::new(),
            used: Vec::new(),
        }
    }

    /// Looks at what holds the structs of some frames, which begin and end where pages of structs do.
    pub fn look_at(&mut self, frames: Range<u64>) {
        let Facts {
            translation,
            arrays,
            ..
        } = self.facts;
        let size = arrays.size() as u64;
        let mut rest = frames;
        while !rest.is_empty() {
            let array = arrays.array(self.memory, translation, rest.clone());
            rest.start = array.frames.end;
            let Ok(Some(start)) = array.address else {
                continue;
            };
            let count = array.frames.end - array.frames.start;
            let addresses = start..start.saturating_add(count.saturating_mul(size));
            for piece in translation.pieces(self.memory, addresses) {
                if let Place::Physical(physical) = piece.place {
                    let before = piece.addresses.start - start;
                    let len = piece.addresses.end - piece.addresses.start;
                    self.piece(
                        physical,
                        len,
                        // A struct may begin before the piece, or end after it.
                        |offset| array.frames.start + (before + offset) / size,
                    );
                }
            }
        }
    }

    /// Looks at physical memory that holds structs; `frame` says whose struct is at an offset.
    fn piece(&mut self, physical: u64, len: u64, frame: impl Fn(u64) -> u64) {
        let shift = self.facts.page_shift;
        let page = 1 << shift;
        let mut offset = 0;
        while offset < len {
            let first = frame(offset);
            let next = self.kept.runs_from(first).next();
            let is_used = |offset: u64| {
                let last = frame((offset + page).min(len) - 1);
                next.as_ref().is_some_and(|run| run.start <= last)
            };
            let is_first_used = is_used(offset);
            let mut end = offset + page;
            // The pages up to the next kept run are unused; those that have a part of it are used.
            while end < len {
                let first = frame(end);
                let same = match is_first_used {
                    true => next.as_ref().is_some_and(|run| first < run.end),
                    false => !is_used(end),
                };
                if !same {
                    break;
                }
                end += page;
            }
            let start = (physical + offset) >> shift;
            let run = start..start + ((end - offset) >> shift);
            match is_first_used {
                true => self.used.push(run),
                false => self.unused.push(run),
            }
            offset = end;
        }
    }

    /// The frames that hold nothing else.
    pub fn frames(self) -> Frames {
        let unused: Frames = self.unused.into_iter().collect();
        unused.without(&self.used.into_iter().collect())
    }
}
