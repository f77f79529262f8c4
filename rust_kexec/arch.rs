// SPDX-License-Identifier: GPL-2.0

//! The differences between architectures, under one set of names.
//!
//! - `image`: which kernel images there are, and how one is verified;
//! - `memory`: where the kernel's text lies, and what the capture kernel may use;
//! - `handover`: the segments that carry a capture kernel besides itself, and the jump;
//! - `relocator`: the code that copies an image to its place when the machine reboots;
//! - `registers`: what a CPU's registers look like in a dump;
//! - `hook`: how a crash is noticed, besides the ways that all have;
//! - `hypervisor`: which one has to be told of a crash, and how;
//! - `own_vmcoreinfo`: what a kernel tells of itself that has no VMCOREINFO;
//! - `panic`: the functions of this module that a panic calls;
//! - `stop`: how other CPUs are stopped;
//! - `quiesce`: how interrupts are silenced for good;
//! - `time`: the counter by which the stages of a crash are timed;
//! - `secure_boot`: whether firmware was told to start what is signed only;
//! - `protect`: the part of the kernel's map of all RAM that has the image, read-only or not.

mod failure;
mod purgatory;
mod relocation;

pub(crate) use purgatory::EnteredFrom;
pub(crate) use relocation::{
    code_page,
    Control, //
};

#[cfg(CONFIG_ARM64)]
mod arm64;
#[cfg(all(CONFIG_ARM64, not(CONFIG_VMCORE_INFO)))]
pub(crate) use arm64::own_vmcoreinfo;
#[cfg(CONFIG_ARM64)]
pub(crate) use arm64::{
    handover,
    hook,
    hypervisor,
    image,
    memory,
    panic,
    protect,
    quiesce,
    registers,
    relocator,
    secure_boot,
    stop,
    time, //
};

#[cfg(CONFIG_X86_64)]
mod x86_64;
#[cfg(all(CONFIG_X86_64, not(CONFIG_VMCORE_INFO)))]
pub(crate) use x86_64::own_vmcoreinfo;
#[cfg(CONFIG_X86_64)]
pub(crate) use x86_64::{
    handover,
    hook,
    hypervisor,
    image,
    memory,
    panic,
    protect,
    quiesce,
    registers,
    relocator,
    secure_boot,
    stop,
    time, //
};
