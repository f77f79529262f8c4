// SPDX-License-Identifier: GPL-2.0

//! Tests of signatures and of the files that carry them.

mod authenticode;
mod pe;
pub mod pe_fixture;
mod policy;
