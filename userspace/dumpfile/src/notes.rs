// SPDX-License-Identifier: GPL-2.0

//! The notes that tell of a dump.

use std::ops::Range;

use kexec_core::dump::note::{
    Notes,
    CORE_NAME,
    NT_PRSTATUS,
    NT_VMCOREINFO,
    VMCOREINFO_NAME, //
};

/// The contents of the notes with this name and type.
fn find<'a>(
    notes: &'a [u8],
    name: &'static [u8],
    note_type: u32,
) -> impl Iterator<Item = &'a [u8]> {
    let notes = Notes::new(notes).filter_map(Result::ok);
    notes
        .filter(move |note| note.name == name && note.note_type == note_type)
        .map(|note| note.desc)
}

/// The text of VMCOREINFO: lines of `KEY=value`.
pub fn vmcoreinfo(notes: &[u8]) -> Option<&[u8]> {
    find(notes, VMCOREINFO_NAME, NT_VMCOREINFO).next()
}

/// Where among the notes VMCOREINFO's text is.
pub fn vmcoreinfo_place(notes: &[u8]) -> Option<Range<usize>> {
    let text = vmcoreinfo(notes)?;
    let start = text.as_ptr().addr() - notes.as_ptr().addr();
    Some(start..start + text.len())
}

/// The contents of the notes with the CPUs' registers: `struct elf_prstatus`.
pub fn prstatus(notes: &[u8]) -> impl Iterator<Item = &[u8]> {
    find(notes, CORE_NAME, NT_PRSTATUS)
}
