// SPDX-License-Identifier: GPL-2.0

//! The dump: the elfcorehdr, the notes, and the file that a capture kernel serves.

pub mod elfcorehdr;
pub mod kdump_compressed;
pub mod note;
pub mod prstatus;
pub mod report;
pub mod vmcore;
pub mod vmcoreinfo;
