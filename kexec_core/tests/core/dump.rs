// SPDX-License-Identifier: GPL-2.0

//! Tests of the elfcorehdr, of the notes, and of the dump file.

mod elfcorehdr;
mod kdump_compressed;
mod note;
mod prstatus;
mod report;
mod vmcore;
mod vmcoreinfo;
