// SPDX-License-Identifier: GPL-2.0

//! Programs that run inside the test guests.
//!
//! | program | what it is for |
//! |---|---|
//! | `agent` | the host's hands in the guest: runs programs, reads and writes files ([`agent`]) |
//! | `spin` | a process whose registers are known, found again in the dump ([`spin`]) |
//! | `pattern` | pages whose contents and physical addresses are known ([`pattern`]) |
//! | `bpf-probe` | a BPF program that runs whenever a function of the kernel is entered ([`bpf_probe`]) |
//! | `kexec-file-load` | the kernel's own crash image, to compare and to collide with ([`kexec_file`]) |
//! | `device-request` | asks the module as an rkexec of another version does ([`device_request`]) |
//! | `kexec-load` | the same by kexec_load(2), also as a 32-bit program ([`kexec_segments`]) |
//! | `vmcore` | reads a dump in the capture kernel, compares, measures ([`vmcore`]) |
//! | `without-capability` | runs a program that lacks one capability |
//! | `fragment` | leaves free memory in small pieces only |
//! | `page-uses` | pages of each kind that a filter tells apart |
//!
//! A program that stays in the background prints one line of JSON when it is ready. A program
//! that fails prints a sentence on standard error and exits with 1.

pub mod agent;
pub mod arguments;
pub mod bpf_probe;
pub mod device_request;
pub mod file_mapping;
pub mod hex;
pub mod kexec_file;
pub mod kexec_segments;
pub mod mapping;
pub mod pagemap;
pub mod pattern;
pub mod report;
pub mod spin;
pub mod splitmix;
pub mod vmcore;
