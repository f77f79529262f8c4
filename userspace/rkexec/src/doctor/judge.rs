// SPDX-License-Identifier: GPL-2.0

//! What the facts about a machine mean for a dump. Nothing is read here.
//!
//! What is wrong is named once: what follows from it, such as that nothing is armed, is no fault of its own.

mod files;
mod image;
mod kernel;
mod region;
mod settings;
mod target;
#[cfg(test)]
mod tests;

use super::{
    facts::Facts,
    finding::Finding, //
};

/// All findings about a machine.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    kernel::judge(facts, &mut found);
    region::judge(facts, &mut found);
    files::judge(facts, &mut found);
    let cause = found.iter().find(|finding| finding.is_wrong());
    let cause = cause.map(|finding| finding.id);
    image::judge(facts, cause, &mut found);
    target::judge(facts, &mut found);
    settings::judge(facts, &mut found);
    found
}
