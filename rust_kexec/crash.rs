// SPDX-License-Identifier: GPL-2.0

//! Fourth stage: the kernel crashes, and the armed image takes over.
//!
//! - `hooks`: where a crash is noticed;
//! - `path`: what the CPU that crashes does, until it leaves this kernel;
//! - `stop`: what the other CPUs do, and how they are made to;
//! - `state`: whether there is a crash, and where.
//!
//! From [`path::enter`] on nothing is allocated, no lock is taken, nothing sleeps, and every wait has a
//! bound. All that is needed was made at the load. It ends in the jump, or it is given up, and panic()
//! goes on.

mod hooks;
mod path;
mod state;
mod stop;

pub(crate) use hooks::Hooks;
pub(crate) use path::SHARED_WAIT_MILLISECONDS;
