// SPDX-License-Identifier: GPL-2.0

//! The uncompressed kernel as its build links it (vmlinux): an ELF file whose segments are loaded
//! at the distances that their physical addresses have.
//!
//! The parts that depend on the architecture are in [`crate::image::x86_64::vmlinux`] and
//! [`crate::image::arm64::vmlinux`].

mod error;

use crate::{
    image::Piece,
    types::{
        bytes::{
            to_u64,
            to_usize, //
        },
        elf::{
            Architecture,
            Header,
            ProgramHeader,
            ET_DYN,
            ET_EXEC,
            IDENT,
            PROGRAM_HEADER_LEN,
            PT_LOAD, //
        },
        ranges::Range, //
    }, //
};

pub use error::{
    ElfKernelError,
    PROGRAM_HEADERS_MAX, //
};

/// An ELF kernel with segments that were checked.
///
/// # Invariants
///
/// The segments that are loaded are in `memory`, in ascending order of their physical addresses,
/// without an overlap; the contents of each are in the file, and not longer than its memory. The
/// first byte of `memory` is in one of them.
#[derive(Clone, Copy, Debug)]
pub struct ElfKernel<'a> {
    bytes: &'a [u8],
    program_headers: &'a [u8],
    memory: Range,
    entry_offset: u64,
}

impl<'a> ElfKernel<'a> {
    /// Reads the headers of the file with these bytes, which has to be for `architecture`.
    pub fn parse(bytes: &'a [u8], architecture: Architecture) -> Result<Self, ElfKernelError> {
        let len = bytes.len();
        let header = Header::decode(bytes).ok_or(ElfKernelError::TooShort { len })?;
        check_kind(&header, architecture)?;

        let count = usize::from(header.program_headers);
        if usize::from(header.program_header_len) != PROGRAM_HEADER_LEN {
            return Err(ElfKernelError::ProgramHeaderLen {
                found: header.program_header_len,
            });
        }
        if count > PROGRAM_HEADERS_MAX {
            return Err(ElfKernelError::TooMany { count });
        }
        let offset = header.program_headers_offset;
        let end = to_u64(count * PROGRAM_HEADER_LEN).checked_add(offset);
        let program_headers = end
            .and_then(|end| bytes.get(to_usize(offset)..to_usize(end)))
            .ok_or(ElfKernelError::ProgramHeaders { offset, count, len })?;

        let mut memory: Option<Range> = None;
        for segment in loads(program_headers) {
            let place = check_segment(&segment, len)?;
            memory = Some(match memory {
                None => place,
                Some(before) if before.end() <= place.start() => {
                    Range::new(before.start(), place.end()).unwrap_or(before)
                }
                Some(before) => {
                    return Err(ElfKernelError::Order {
                        address: place.start(),
                        end: before.end(),
                    })
                }
            });
        }
        let memory = memory.ok_or(ElfKernelError::NoSegment)?;
        let entry = header.entry;
        let entry_offset = loads(program_headers)
            .find_map(|segment| entry_in(&segment, entry))
            .and_then(|address| address.checked_sub(memory.start()))
            .ok_or(ElfKernelError::Entry { entry })?;
        // INVARIANT: All of it was checked above.
        Ok(Self {
            bytes,
            program_headers,
            memory,
            entry_offset,
        })
    }

    /// The memory of the segments if the kernel was loaded at the address that it was linked to.
    pub fn memory(&self) -> Range {
        self.memory
    }

    /// The entry point, counted from the start of the first segment.
    pub fn entry_offset(&self) -> u64 {
        self.entry_offset
    }

    /// The contents of one of the segments, counted from 0; see
    /// [`KernelImage::piece`](crate::image::KernelImage::piece).
    pub fn piece(&self, index: usize) -> Option<Piece<'a>> {
        let segment = loads(self.program_headers)
            .filter(|segment| segment.file_len != 0)
            .nth(index)?;
        let end = segment.offset.checked_add(segment.file_len)?;
        Some(Piece {
            offset: segment.physical_address.checked_sub(self.memory.start())?,
            bytes: self.bytes.get(to_usize(segment.offset)..to_usize(end))?,
        })
    }
}

/// The segments that are loaded and have memory.
fn loads(program_headers: &[u8]) -> impl Iterator<Item = ProgramHeader> + '_ {
    program_headers
        .chunks_exact(PROGRAM_HEADER_LEN)
        .filter_map(ProgramHeader::decode)
        .filter(|segment| segment.segment_type == PT_LOAD && segment.memory_len != 0)
}

/// Checks that a file is a kernel for this architecture, as far as its header tells.
fn check_kind(header: &Header, architecture: Architecture) -> Result<(), ElfKernelError> {
    let [m0, m1, m2, m3, class, data, version] = header.ident;
    let [e0, e1, e2, e3, class64, little_endian, current] = IDENT;
    if [m0, m1, m2, m3] != [e0, e1, e2, e3] {
        return Err(ElfKernelError::Magic {
            found: [m0, m1, m2, m3],
        });
    }
    if class != class64 {
        return Err(ElfKernelError::Class { found: class });
    }
    if data != little_endian {
        return Err(ElfKernelError::Data { found: data });
    }
    if version != current {
        return Err(ElfKernelError::Version { found: version });
    }
    if header.machine != architecture.e_machine() {
        return Err(ElfKernelError::Architecture {
            found: header.machine,
            expected: architecture,
        });
    }
    if ![ET_EXEC, ET_DYN].contains(&header.elf_type) {
        return Err(ElfKernelError::Type {
            found: header.elf_type,
        });
    }
    Ok(())
}

/// Checks a segment without regard to the others, and returns its memory.
fn check_segment(segment: &ProgramHeader, len: usize) -> Result<Range, ElfKernelError> {
    let ProgramHeader {
        offset,
        virtual_address,
        physical_address: address,
        file_len,
        memory_len,
        alignment,
        ..
    } = *segment;
    let place = Range::from_start_len(address, memory_len);
    let place = place.ok_or(ElfKernelError::AddressSpace {
        address,
        memory_len,
    })?;
    if virtual_address.checked_add(memory_len).is_none() {
        return Err(ElfKernelError::AddressSpace {
            address: virtual_address,
            memory_len,
        });
    }
    if file_len > memory_len {
        return Err(ElfKernelError::FileLen {
            address,
            file_len,
            memory_len,
        });
    }
    let end = offset.checked_add(file_len);
    if !end.is_some_and(|end| end <= to_u64(len)) {
        return Err(ElfKernelError::Truncated {
            address,
            offset,
            file_len,
            len,
        });
    }
    // 0 and 1 stand for none.
    if alignment > 1 {
        let mask = match alignment.is_power_of_two() {
            true => alignment.wrapping_sub(1),
            false => return Err(ElfKernelError::Alignment { address, alignment }),
        };
        if offset & mask != virtual_address & mask {
            return Err(ElfKernelError::Incongruent {
                offset,
                virtual_address,
                alignment,
            });
        }
    }
    Ok(place)
}

/// The physical address of the entry point, if it is among the contents of this segment. `e_entry`
/// is the physical address on x86 and the virtual one on arm64. The segment's flags are not
/// checked: x86 kernels from Linux 7 on start in a segment that is not marked executable.
fn entry_in(segment: &ProgramHeader, entry: u64) -> Option<u64> {
    [segment.physical_address, segment.virtual_address]
        .into_iter()
        .filter_map(|start| entry.checked_sub(start))
        .find(|offset| *offset < segment.file_len)
        .and_then(|offset| segment.physical_address.checked_add(offset))
}
