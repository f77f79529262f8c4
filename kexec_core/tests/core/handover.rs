// SPDX-License-Identifier: GPL-2.0

//! Tests of the handover.

mod arm64;
mod command_line;
mod copy;
mod flips;
mod purgatory;
mod x86_64;
