// SPDX-License-Identifier: GPL-2.0

//! The programs, each with its usage.

pub mod agent;
pub mod bpf_probe;
pub mod device_request;
pub mod fragment;
pub mod kexec_file_load;
pub mod kexec_load;
pub mod page_uses;
pub mod pattern;
pub mod spin;
pub mod vmcore;
pub mod without_capability;
