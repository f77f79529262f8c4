// SPDX-License-Identifier: GPL-2.0

//! The headers of an ELF core file.

use kexec_core::types::elf::{
    Architecture,
    Header,
    ProgramHeader,
    ET_CORE,
    HEADER_LEN,
    IDENT,
    PN_XNUM,
    PROGRAM_HEADER_LEN,
    PT_LOAD,
    PT_NOTE, //
};

use super::error::ElfCoreError;
use crate::{
    elf::{
        flags,
        section_headers_offset,
        sh_info,
        E_FLAGS_INCOMPLETE,
        SECTION_HEADER_LEN, //
    },
    source::{
        for_each_data_piece,
        has,
        Source, //
    }, //
};

/// How much of the program headers is read at a time.
const CHUNK_LEN: u64 = 512 * PROGRAM_HEADER_LEN as u64;

/// What the headers say.
pub struct Headers {
    pub architecture: Architecture,
    pub is_incomplete: bool,
    /// The segments with memory and notes that are not empty.
    pub segments: Vec<ProgramHeader>,
}

/// Reads the headers of a file.
pub fn read(source: &impl Source) -> Result<Headers, ElfCoreError> {
    let mut bytes = [0; HEADER_LEN];
    if source.len() < HEADER_LEN as u64 {
        return Err(ElfCoreError::NotElf);
    }
    source
        .read_exact_at(&mut bytes, 0)
        .map_err(ElfCoreError::Io)?;
    let header = Header::decode(&bytes).ok_or(ElfCoreError::NotElf)?;
    if header.ident != IDENT {
        return Err(ElfCoreError::NotElf);
    }
    if header.elf_type != ET_CORE {
        return Err(ElfCoreError::NotCore(header.elf_type));
    }
    let architecture = Architecture::from_e_machine(header.machine)
        .ok_or(ElfCoreError::Machine(header.machine))?;
    if usize::from(header.program_header_len) != PROGRAM_HEADER_LEN {
        return Err(ElfCoreError::ProgramHeaderLen(header.program_header_len));
    }
    let count = count(source, &header, section_headers_offset(&bytes))?;
    Ok(Headers {
        architecture,
        is_incomplete: flags(&bytes) & E_FLAGS_INCOMPLETE != 0,
        segments: read_segments(source, header.program_headers_offset, count)?,
    })
}

/// The number of program headers, which is in the first section header if the header has no room.
fn count(source: &impl Source, header: &Header, offset: u64) -> Result<u64, ElfCoreError> {
    if header.program_headers != PN_XNUM || offset == 0 {
        return Ok(header.program_headers.into());
    }
    let past_end = ElfCoreError::ProgramHeadersPastEnd {
        offset,
        count: PN_XNUM.into(),
    };
    if !has(source.len(), offset, SECTION_HEADER_LEN as u64) {
        return Err(past_end);
    }
    let mut bytes = [0; SECTION_HEADER_LEN];
    source
        .read_exact_at(&mut bytes, offset)
        .map_err(ElfCoreError::Io)?;
    Ok(sh_info(&bytes).into())
}

fn read_segments(
    source: &impl Source,
    offset: u64,
    count: u64,
) -> Result<Vec<ProgramHeader>, ElfCoreError> {
    // A 32-bit number times 56 is no large number.
    let len = count * PROGRAM_HEADER_LEN as u64;
    if !has(source.len(), offset, len) {
        return Err(ElfCoreError::ProgramHeadersPastEnd { offset, count });
    }
    let mut segments = Vec::new();
    // Headers of zeros are of no type.
    for_each_data_piece(source, offset, len, CHUNK_LEN, |_, bytes| {
        let headers = bytes.chunks_exact(PROGRAM_HEADER_LEN);
        segments.extend(
            headers
                .filter_map(ProgramHeader::decode)
                .filter(|segment| matches!(segment.segment_type, PT_LOAD | PT_NOTE))
                .filter(|segment| segment.file_len != 0),
        );
    })
    .map_err(ElfCoreError::Io)?;
    Ok(segments)
}
