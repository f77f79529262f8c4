// SPDX-License-Identifier: GPL-2.0

//! x86_64.

mod efi;
pub(crate) mod handover;
pub(crate) mod hook;
pub(crate) mod hypervisor;
pub(crate) mod image;
mod kernels_efi;
pub(crate) mod memory;
#[cfg(not(CONFIG_VMCORE_INFO))]
pub(crate) mod own_vmcoreinfo;
pub(crate) mod panic;
mod port;
pub(crate) mod protect;
pub(crate) mod quiesce;
pub(crate) mod registers;
pub(crate) mod relocator;
pub(crate) mod secure_boot;
pub(crate) mod stop;
pub(crate) mod time;
