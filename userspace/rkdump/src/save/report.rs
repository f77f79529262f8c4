// SPDX-License-Identifier: GPL-2.0

//! What was saved.

use std::{
    fmt,
    time::Duration, //
};

use serde::Serialize;

use super::{
    format::Saved,
    job::Job,
    plan::Plan, //
};
use crate::dump::Dump;

/// What was saved.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The files or the device.
    pub targets: Vec<String>,
    /// The release of the crashed kernel.
    pub release: String,
    /// The dump level.
    pub dump_level: u8,
    /// The length of a page.
    pub page_len: u32,
    /// Pages that there are.
    pub memory_pages: u64,
    /// Pages that were kept, and those of them that are equal to another, and take no room.
    pub kept_pages: u64,
    pub shared_pages: u64,
    /// The length of the dump.
    pub bytes: u64,
    /// Threads that worked.
    pub threads: usize,
    /// Seconds that it took to find out what is kept, and all together.
    pub plan_seconds: f64,
    pub seconds: f64,
    /// Why nothing was left out, though something should have been.
    pub unfiltered: Option<String>,
}

impl Report {
    /// What is known before something is saved.
    pub fn new(dump: &Dump, plan: &Plan, job: &Job, threads: usize) -> Self {
        Self {
            targets: Vec::new(),
            release: dump.vmcoreinfo.release().unwrap_or_default().into(),
            dump_level: job.left_out.dump_level,
            page_len: plan.page_len,
            memory_pages: plan.memory.count(),
            kept_pages: plan.kept().count(),
            shared_pages: 0,
            bytes: 0,
            threads,
            plan_seconds: 0.0,
            seconds: 0.0,
            unfiltered: plan.unfiltered.clone(),
        }
    }

    /// Adds a file.
    pub fn add(&mut self, name: String, saved: &Saved) {
        self.targets.push(name);
        self.shared_pages += saved.shared;
        self.bytes += saved.bytes;
    }

    /// Sets the times.
    pub fn timed(mut self, plan: Duration, all: Duration) -> Self {
        let seconds = |time: Duration| (time.as_secs_f64() * 1000.0).round() / 1000.0;
        self.plan_seconds = seconds(plan);
        self.seconds = seconds(all);
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let pages = |count: u64| mib(count * u64::from(self.page_len));
        writeln!(
            f,
            "{}: {:.1} MiB, of {:.0} MiB of memory that were kept and {:.0} MiB that there are, in {:.1} s",
            self.targets.join(", "),
            mib(self.bytes),
            pages(self.kept_pages),
            pages(self.memory_pages),
            self.seconds
        )
    }
}
