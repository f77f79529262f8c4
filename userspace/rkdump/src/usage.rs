// SPDX-License-Identifier: GPL-2.0

//! How many pages of each kind a dump has: `makedumpfile --mem-usage`.

use std::path::Path;

use kernel_memory::filter::Class;

use crate::{
    dump::Dump,
    failure::Failure,
    save::{
        workers,
        LeftOut,
        Plan, //
    }, //
};

/// Prints a line for each kind of page.
pub fn print(vmcore: &Path) -> Result<(), Failure> {
    let dump = Dump::open(vmcore, false)?;
    let plan = Plan::make(&dump, LeftOut::NOTHING, workers::count(None))?;
    if let Some(reason) = plan.unfiltered {
        return Err(Failure::new(reason));
    }
    println!("{:<22}{:>14}{:>12}", "KIND", "PAGES", "MiB");
    for class in Class::ALL {
        line(class.name(), plan.selection.counts.of(class), plan.page_len);
    }
    line("all", plan.memory.count(), plan.page_len);
    Ok(())
}

fn line(name: &str, pages: u64, page_len: u32) {
    println!(
        "{name:<22}{pages:>14}{:>12}",
        (pages * u64::from(page_len)) >> 20
    );
}
