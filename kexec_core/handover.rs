// SPDX-License-Identifier: GPL-2.0

//! The handover from the crashed kernel to the purgatory and to the capture kernel.

pub mod arm64;
pub mod check;
pub mod command_line;
pub mod copy;
pub mod identity_map;
pub mod purgatory;
pub mod x86_64;
