// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers for the kernel's functions that the `kernel` crate lacks, one file for each concept.
//!
//! A C file beside a Rust file has the macros and inline functions that the Rust file needs, one flat
//! function for each. It is not there where bindgen can read everything from the kernel's headers.

pub(crate) mod acpi;
pub(crate) use crate::bindings;
pub(crate) mod clock;
pub(crate) mod contiguous;
pub(crate) mod cpu;
pub(crate) mod crash_cma;
pub(crate) mod crash_notes;
pub(crate) mod decompress;
#[cfg(CONFIG_CRYPTO_HASH)]
pub(crate) mod digest;
#[cfg(not(CONFIG_CRYPTO_HASH))]
#[path = "sys/no_digest.rs"]
pub(crate) mod digest;
pub(crate) mod directory;
pub(crate) mod file;
pub(crate) mod hook;
pub(crate) mod hotplug;
pub(crate) mod ima;
pub(crate) mod iomem;
pub(crate) mod kallsyms;
pub(crate) mod kexec;
pub(crate) mod keyring;
pub(crate) mod kprobe;
pub(crate) mod lockdown;
pub(crate) mod memory;
pub(crate) mod module_reference;
pub(crate) mod notifier;
pub(crate) mod once;
#[cfg(not(CONFIG_VMCORE_INFO))]
pub(crate) mod own_vmcoreinfo;
pub(crate) mod page_fault;
pub(crate) mod panic;
pub(crate) mod parameters;
pub(crate) mod physical;
pub(crate) mod proc_file;
pub(crate) mod random;
pub(crate) mod rate_limit;
pub(crate) mod reboot;
pub(crate) mod remote_call;
pub(crate) mod scattered;
pub(crate) mod secure_boot;
pub(crate) mod sha256;
pub(crate) mod slot;
pub(crate) mod user_mapping;
pub(crate) mod user_structure;
#[cfg(CONFIG_VMCORE_INFO)]
pub(crate) mod vmcoreinfo;
pub(crate) mod words;
