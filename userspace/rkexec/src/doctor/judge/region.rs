// SPDX-License-Identifier: GPL-2.0

//! The memory for the capture kernel: there, large enough, in reach.

use kexec_core::types::ranges::Range;

use crate::{
    doctor::{
        facts::{
            Facts,
            Module, //
        },
        finding::Finding, //
    },
    output::{
        Address,
        Size, //
    },
};

/// What devices with addresses of 32 bits reach.
const REACH: u64 = 4 << 30;

/// Judges the memory.
pub fn judge(facts: &Facts, found: &mut Vec<Finding>) {
    let regions = facts.machine.regions();
    let Some(first) = regions.first() else {
        found.extend(none(facts));
        return;
    };
    let all: u64 = regions.iter().map(Range::len).sum();
    let more = match regions.len() {
        1 => String::new(),
        more => format!(", and {} more", more - 1),
    };
    let end = Address(first.end());
    found.push(Finding::good(
        "region",
        format!(
            "{}-{end} ({}) is reserved{more}",
            Address(first.start()),
            Size(first.len())
        ),
    ));
    found.extend(size(facts, all));
    if regions.iter().all(|region| region.start() >= REACH) {
        found.push(Finding::warning(
            "region-place",
            "all of it is above 4 GiB, where devices with addresses of 32 bits do not reach",
            "boot with crashkernel=SIZE,high, which reserves some below as well, or add \
             crashkernel=128M,low",
        ));
    }
}

fn none(facts: &Facts) -> Option<Finding> {
    const ID: &str = "region";
    const REMEDY: &str = "boot with crashkernel=256M, or take memory now: rkexec reserve 256M";
    let machine = &facts.machine;
    match (&machine.module, &machine.unreserved) {
        // The machine's memory is shown to root only, and it is said already who is not root.
        (Module::Mute(_), None) => None,
        (_, None) => Some(Finding::wrong(
            ID,
            "no memory is reserved for a capture kernel",
            REMEDY,
        )),
        (_, Some(reason)) => Some(Finding::wrong(
            ID,
            format!("no memory is reserved, although the command line asks for some: {reason}"),
            REMEDY,
        )),
    }
}

fn size(facts: &Facts, all: u64) -> Option<Finding> {
    const ID: &str = "region-size";
    Some(match facts.needed.as_ref()? {
        Ok(needed) if all < *needed => Finding::wrong(
            ID,
            format!(
                "{} are reserved, and the capture kernel with its initrd needs {} (rkexec estimate \
                 has the parts)",
                Size(all),
                Size(*needed)
            ),
            format!(
                "boot with crashkernel={}M, or rkexec reserve {0}M; docs/memory.md says what needs less",
                needed >> 20
            ),
        ),
        Ok(needed) => Finding::good(
            ID,
            format!("{} suffice for the {} that are needed", Size(all), Size(*needed)),
        ),
        Err(reason) => Finding::warning(
            ID,
            format!("whether {} suffice is not known: {reason}", Size(all)),
            "rkexec estimate KERNEL --initrd=FILE says how much is needed",
        ),
    })
}
