// SPDX-License-Identifier: GPL-2.0

//! `rkexec doctor`: would a crash leave a dump here? Facts are gathered (`gather`), and then judged without
//! any look at the machine (`judge`). docs/doctor.md explains each finding.

mod facts;
mod finding;
mod gather;
mod judge;
mod options;
mod tree;

use crate::{
    arguments::DoctorRequest,
    failure::Failure,
    output, //
};
use finding::Report;

/// Shows what is good and what is wrong. The exit status is 0 if a crash would leave a dump.
pub fn doctor(request: &DoctorRequest) -> Result<u8, Failure> {
    let report = match &request.tree {
        Some(path) => tree::report(path)?,
        None => {
            let facts = gather::facts(request)?;
            Report::of_machine(facts.now, judge::judge(&facts))
        }
    };
    output::print(&report, request.json)?;
    Ok(report.exit_status())
}
