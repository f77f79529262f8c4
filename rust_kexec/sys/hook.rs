// SPDX-License-Identifier: GPL-2.0

//! Hooks on functions of the kernel.
//!
//! - `ftrace`: how a function is hooked;
//! - `panic`, `region`, `crash_loaded`: which ones are.

pub(crate) mod crash_loaded;
mod ftrace;
use ftrace as function;
pub(crate) mod panic;
pub(crate) mod region;
