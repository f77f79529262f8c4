// SPDX-License-Identifier: GPL-2.0

//! The headers of a file that is written.

use std::io;

use kexec_core::types::elf::{
    Header,
    ProgramHeader,
    HEADER_LEN,
    PN_XNUM,
    PT_NOTE, //
};

use super::layout::{
    loads,
    Description,
    Layout, //
};
use crate::{
    elf,
    target::Target, //
};

/// How many bytes of program headers are written at a time.
const PIECE: usize = 64 << 10;

/// The header.
pub fn header(description: &Description, layout: &Layout, is_complete: bool) -> [u8; HEADER_LEN] {
    let count = u16::try_from(layout.headers).unwrap_or(PN_XNUM);
    let machine = description.architecture.e_machine();
    let mut header = Header::core(machine, count).encode();
    let flags = match is_complete {
        true => 0,
        false => elf::E_FLAGS_INCOMPLETE,
    };
    elf::set_flags(&mut header, flags);
    if let Some(offset) = layout.section_header() {
        elf::set_section_header(&mut header, offset);
    }
    header
}

/// Writes all headers and the notes. The header says that the file is incomplete.
pub fn write(target: &impl Target, description: &Description, layout: &Layout) -> io::Result<()> {
    target.write_at(0, &header(description, layout, false))?;
    let notes = ProgramHeader {
        segment_type: PT_NOTE,
        offset: layout.notes(),
        file_len: layout.notes_len,
        memory_len: layout.notes_len,
        ..ProgramHeader::default()
    };
    let mut bytes = Vec::from(notes.encode());
    let mut offset = HEADER_LEN as u64;
    for load in loads(layout, &description.loads) {
        bytes.extend(load.encode());
        if bytes.len() >= PIECE {
            target.write_at(offset, &bytes)?;
            offset += bytes.len() as u64;
            bytes.clear();
        }
    }
    if layout.section_header().is_some() {
        let count = u32::try_from(layout.headers).map_err(|_| io::ErrorKind::FileTooLarge)?;
        bytes.extend(elf::section_header(count));
    }
    bytes.extend(&description.notes);
    let end = offset + bytes.len() as u64;
    bytes.resize((bytes.len() as u64 + layout.data() - end) as usize, 0);
    target.write_at(offset, &bytes)
}
