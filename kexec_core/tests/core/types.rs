// SPDX-License-Identifier: GPL-2.0

//! Tests of the plain types.

mod digest;
mod ranges;
