// SPDX-License-Identifier: GPL-2.0

//! What came of a job.

use std::fmt;

use serde::Serialize;

use super::{
    estimate::Estimate,
    report::Report, //
};

/// What came of a job.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// A dump was saved.
    Saved(Report),
    /// Nothing was to be written.
    Estimated(Estimate),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Saved(report) => report.fmt(f),
            Self::Estimated(estimate) => estimate.fmt(f),
        }
    }
}
