// SPDX-License-Identifier: GPL-2.0

//! ELF core files for tests.

use kexec_core::{
    dump::note,
    types::elf::{
        Architecture,
        Header,
        ProgramHeader,
        HEADER_LEN,
        PROGRAM_HEADER_LEN,
        PT_LOAD,
        PT_NOTE, //
    }, //
};

/// The text of VMCOREINFO in the files.
pub const VMCOREINFO: &[u8] = b"OSRELEASE=7.3.4\nPAGESIZE=4096\n";

/// A piece of memory, with what is there.
#[derive(Clone, Debug)]
pub struct Piece {
    pub address: u64,
    pub bytes: Vec<u8>,
}

/// The notes of a machine with one CPU.
pub fn notes() -> Vec<u8> {
    let mut notes = vec![0; 1024];
    let mut len = note::encode(&mut notes, b"CORE", note::NT_PRSTATUS, &[7; 336]).unwrap();
    len += note::encode(&mut notes[len..], b"VMCOREINFO", 0, VMCOREINFO).unwrap();
    notes.truncate(len);
    notes
}

/// A file with the notes and the pieces, in this order.
pub fn elf_file(architecture: Architecture, pieces: &[Piece]) -> Vec<u8> {
    let count = pieces.len() + 1;
    let mut file = Vec::from(Header::core(architecture.e_machine(), count as u16).encode());
    let notes = notes();
    let mut offset = (HEADER_LEN + count * PROGRAM_HEADER_LEN) as u64;
    let header = |segment_type, address, len: usize, offset| ProgramHeader {
        segment_type,
        physical_address: address,
        file_len: len as u64,
        memory_len: len as u64,
        offset,
        ..ProgramHeader::default()
    };
    file.extend(header(PT_NOTE, 0, notes.len(), offset).encode());
    offset += notes.len() as u64;
    let mut contents = notes;
    for Piece { address, bytes } in pieces {
        file.extend(header(PT_LOAD, *address, bytes.len(), offset).encode());
        contents.extend(bytes);
        offset += bytes.len() as u64;
    }
    file.extend(contents);
    file
}
