// SPDX-License-Identifier: GPL-2.0

//! What was found out of some frames.

use std::ops::Range;

use dumpfile::frames::Frames;

use super::class::Class;

/// The number of frames of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Class::ALL.len()]);

impl Counts {
    /// The number of frames of a class, kept or not.
    pub fn of(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    /// The number of all frames.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn add(&mut self, class: Class, count: u64) {
        self.0[class as usize] += count;
    }

    fn append(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count += other;
        }
    }
}

/// The frames that a dump is to have, and how many there are of each class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The frames to keep.
    pub kept: Frames,
    /// Those of them without which a reader finds nothing: slab, page tables, and what is reserved, as the
    /// kernel's image is.
    pub vital: Frames,
    /// The kernel's other frames among them: stacks, modules and whatever else it has allocated.
    pub kernel: Frames,
    /// The number of frames of each class.
    pub counts: Counts,
}

impl Selection {
    /// Adds what was found out of a later chunk.
    ///
    /// # Panics
    ///
    /// The chunk is not a later one.
    pub fn append(&mut self, later: &Self) {
        for (frames, later) in [
            (&mut self.kept, &later.kept),
            (&mut self.vital, &later.vital),
            (&mut self.kernel, &later.kernel),
        ] {
            for run in later.runs() {
                frames.push(run);
            }
        }
        self.counts.append(&later.counts);
    }

    pub(super) fn add(&mut self, frames: Range<u64>, class: Class, is_kept: bool) {
        if frames.is_empty() {
            return;
        }
        self.counts.add(class, frames.end - frames.start);
        if !is_kept {
            return;
        }
        match class {
            Class::Slab | Class::Table | Class::Reserved => self.vital.push(frames.clone()),
            Class::Kernel | Class::Unknown => self.kernel.push(frames.clone()),
            _ => {}
        }
        self.kept.push(frames);
    }
}
