// SPDX-License-Identifier: GPL-2.0

//! Where a dump goes: a file, a directory in which files are made, a prepared block device, or standard output.

mod directory;
pub mod file;

pub use directory::Directory;
