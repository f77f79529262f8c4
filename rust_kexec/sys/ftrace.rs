// SPDX-License-Identifier: GPL-2.0

//! Hooks on functions of the kernel by ftrace.

pub(crate) mod crash_loaded;
mod hook;
pub(crate) mod panic;
pub(crate) mod region;
