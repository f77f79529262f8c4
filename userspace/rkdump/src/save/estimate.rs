// SPDX-License-Identifier: GPL-2.0

//! How large a dump would be, by some of its pages.

use std::fmt;

use dumpfile::{
    codec::room,
    memory::PhysicalMemory, //
};
use serde::Serialize;

use super::{
    job::Job,
    plan::Plan, //
};
use crate::{
    arguments::Format,
    dump::Dump, //
};

/// So many pages are compressed. With them an estimate is within some percent.
const SAMPLES: u64 = 4096;

/// Length of a page's descriptor, and of the header with its notes.
const DESCRIPTOR_LEN: u64 = 24;
const HEADER_LEN: u64 = 64 << 10;

/// How large a dump would be.
#[derive(Clone, Debug, Serialize)]
pub struct Estimate {
    /// Pages that there are, and those that would be kept.
    pub memory_pages: u64,
    pub kept_pages: u64,
    /// Pages that were compressed for this, and those of them that had only zeros.
    pub sampled_pages: u64,
    pub sampled_zero_pages: u64,
    /// The length of the dump, about.
    pub bytes: u64,
    /// The length of a page.
    pub page_len: u32,
}

impl Estimate {
    /// Compresses pages that are evenly spread over those that are kept.
    pub fn make(dump: &Dump, plan: &Plan, job: &Job) -> Self {
        let kept_pages = plan.kept().count();
        let step = kept_pages.div_ceil(SAMPLES).max(1);
        let page_len = plan.page_len as usize;
        let mut compressor = job.codec.compressor(job.level, page_len);
        let mut page = vec![0; page_len];
        let mut out = vec![0; room(page_len)];
        let (mut sampled, mut zero, mut bytes) = (0, 0, 0);
        let mut next = 0;
        for run in plan.kept().runs() {
            let len = run.end - run.start;
            while next < len {
                let address = (run.start + next) * u64::from(plan.page_len);
                next += step;
                if dump.core.read_frame(address, &mut page).is_err() {
                    continue;
                }
                sampled += 1;
                if page.iter().all(|byte| *byte == 0) {
                    zero += 1;
                    continue;
                }
                let compressed = match job.format {
                    Format::Kdump => compressor.compress(&page, &mut out),
                    Format::Elf => None,
                };
                bytes += compressed.unwrap_or(page_len) as u64;
            }
            next -= len;
        }
        let all = |part: u64| match sampled {
            0 => 0,
            _ => (u128::from(part) * u128::from(kept_pages) / sampled) as u64,
        };
        let last = plan.memory.end();
        let besides = match job.format {
            Format::Kdump => 2 * last.div_ceil(8) + kept_pages * DESCRIPTOR_LEN,
            Format::Elf => 0,
        };
        Self {
            memory_pages: plan.memory.count(),
            kept_pages,
            sampled_pages: sampled as u64,
            sampled_zero_pages: zero,
            bytes: all(bytes) + besides + HEADER_LEN,
            page_len: plan.page_len,
        }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let pages = |count: u64| mib(count * u64::from(self.page_len));
        writeln!(
            f,
            "The dump would have about {:.1} MiB, by the compression of {} of its {} pages: {:.0} MiB of {:.0} MiB of \
             memory would be kept. Nothing was written.",
            mib(self.bytes),
            self.sampled_pages,
            self.kept_pages,
            pages(self.kept_pages),
            pages(self.memory_pages)
        )
    }
}
