// SPDX-License-Identifier: GPL-2.0

//! What was measured, for people and as JSON.

use std::fmt;

use serde::Serialize;

use super::{
    outcome::Outcome,
    search::STEP, //
};

/// A boot.
#[derive(Debug, Serialize)]
pub struct Try {
    /// The capture kernel's memory, in bytes.
    len: u64,
    /// Whether the dump was read.
    pub suffices: bool,
    /// What was seen.
    pub sentence: String,
}

impl Try {
    /// A boot with so many bytes, and its outcome.
    pub fn new(len: u64, outcome: Outcome) -> Self {
        let (suffices, sentence) = match outcome {
            Outcome::Read { seen, len } => (
                true,
                format!(
                    "/proc/vmcore was read to its end ({} MiB), after {seen}",
                    len >> 20
                ),
            ),
            Outcome::NoRoom => (false, "the initrd has no room".into()),
            Outcome::Failed(sentence) => (false, sentence),
        };
        Self {
            len,
            suffices,
            sentence,
        }
    }

    /// The capture kernel's memory, in MiB.
    pub fn mib(&self) -> u64 {
        self.len >> 20
    }
}

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffices = match self.suffices {
            true => "enough",
            false => "too little",
        };
        let (mib, sentence) = (self.mib(), &self.sentence);
        write!(f, "{mib:>5} MiB  {suffices:<11}{sentence}")
    }
}

/// All boots, and what they come to.
#[derive(Debug, Serialize)]
pub struct Report {
    tries: Vec<Try>,
    /// The least memory that was enough, in bytes.
    least: u64,
    /// The length of the program that watched, which is in the initrd's files.
    watcher: u64,
    /// Bytes to reserve.
    crashkernel: u64,
}

impl Report {
    /// The report of these boots.
    pub fn new(mut tries: Vec<Try>, least: u64, watcher: u64) -> Self {
        tries.sort_by_key(|found| std::cmp::Reverse(found.len));
        Self {
            tries,
            least,
            watcher,
            // docs/memory.md says why.
            crashkernel: least + STEP,
        }
    }

    /// Bytes to reserve.
    pub fn crashkernel(&self) -> u64 {
        self.crashkernel
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for found in &self.tries {
            writeln!(f, "{found}")?;
        }
        let watcher = self.watcher as f64 / f64::from(1 << 20);
        let reserve = (self.crashkernel - self.least) >> 20;
        writeln!(
            f,
            "least that was enough: {} MiB, with a program of {watcher:.1} MiB that watched; {reserve} MiB are added",
            self.least >> 20
        )
    }
}
