// SPDX-License-Identifier: GPL-2.0

//! Hooks on functions of the kernel.
//!
//! - `ftrace`, or `kprobe` in a kernel without ftrace: how a function is hooked;
//! - `panic`, `region`, `crash_loaded`, `crash_size`, `reboot`: which ones are.
//!
//! This is the one place that decides by which means. Whoever uses a hook asks [`CAN_FAIL`].

use kexec_core::uapi::HookedBy;

pub(crate) mod crash_loaded;
pub(crate) mod crash_size;
#[cfg(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)]
mod ftrace;
#[cfg(not(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))]
mod kprobe;
pub(crate) mod panic;
pub(crate) mod reboot;
pub(crate) mod region;

#[cfg(CONFIG_DYNAMIC_FTRACE_WITH_ARGS)]
use ftrace as function;
#[cfg(not(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))]
use kprobe as function;

pub(crate) use function::{
    is_in_a_hook,
    nmi_levels, //
};

/// By what the functions are hooked.
pub(crate) const MEANS: HookedBy = match cfg!(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) {
    true => HookedBy::Ftrace,
    false => HookedBy::Kprobes,
};

/// Whether a hook that is in place can fail to be called. ftrace's are always called. A kprobe is not
/// while root has kprobes switched off, nor while the CPU handles another one.
pub(crate) const CAN_FAIL: bool = matches!(MEANS, HookedBy::Kprobes);
