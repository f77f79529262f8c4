// SPDX-License-Identifier: GPL-2.0

//! arm64.

mod break_before_make;
mod cache;
mod firmware;
pub(crate) mod handover;
pub(crate) mod hook;
pub(crate) mod hypervisor;
pub(crate) mod image;
mod irq;
pub(crate) mod memory;
#[cfg(not(CONFIG_VMCORE_INFO))]
pub(crate) mod own_vmcoreinfo;
pub(crate) mod panic;
pub(crate) mod protect;
pub(crate) mod quiesce;
pub(crate) mod registers;
pub(crate) mod relocator;
pub(crate) mod secure_boot;
pub(crate) mod stop;
pub(crate) mod time;
