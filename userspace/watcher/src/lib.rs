// SPDX-License-Identifier: GPL-2.0

//! What the program `watcher` and `rkexec estimate --measure` have to agree about.
//!
//! `rkexec` adds the program to the initrd of a guest and has the kernel start it as the first process. It
//! becomes what the initrd has there, and a second process of it watches. What that finds is left in the
//! guest's memory, see [`account`], so the guest needs no device for it.

pub mod account;

/// The directory in the guest that has the program and its mount point.
pub const DIRECTORY: &str = ".rkexec-watcher";
/// The program in that directory.
pub const PROGRAM: &str = "program";
/// The directory in that directory for the watcher's own view of `/proc`.
pub const PROC: &str = "proc";

// Parameters on the guest's command line. The kernel leaves those with a dot to modules.

/// The token that the account begins with, in hexadecimal.
pub const TOKEN: &str = "rkexec_watcher.token";
/// The initrd's own first program.
pub const INIT: &str = "rkexec_watcher.init";
/// The name of a program that has to run; not there for none.
pub const SERVICE: &str = "rkexec_watcher.service";
/// The bytes that programs which save the dump allocate.
pub const TOOL_LEN: &str = "rkexec_watcher.tool_len";
