// SPDX-License-Identifier: GPL-2.0

//! The elfcorehdr, an ELF core header that a crashed kernel leaves for the capture kernel. It names
//! the memory of the notes and the memory to dump.
//!
//! It is the header of a core file without the contents. A program header's offset is a physical
//! address: the contents are in the crashed kernel's memory.

mod error;
pub mod slots;

use crate::types::{
    bytes::write,
    elf::{
        Architecture,
        Header,
        ProgramHeader,
        ET_CORE,
        HEADER_LEN,
        IDENT,
        PF_RWX,
        PROGRAM_HEADER_LEN,
        PT_LOAD,
        PT_NOTE, //
    },
    parameters::settings,
    ranges::Range, //
};

pub use error::{
    ElfcorehdrError,
    NOTES_LEN_MAX,
    NOTES_TOTAL_MAX,
    PHYSICAL_END,
    PROGRAM_HEADERS_MAX, //
};

/// A piece of memory to dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The virtual address at which the crashed kernel had it mapped.
    pub virtual_address: u64,
    /// The physical addresses.
    pub memory: Range,
}

impl Load {
    /// The last virtual address, unless the piece is empty or leaves the address space. It can
    /// end together with the address space.
    fn last_virtual_address(&self) -> Option<u64> {
        self.virtual_address
            .checked_add(self.memory.len().checked_sub(1)?)
    }
}

/// The address in the last `elfcorehdr=[SIZE@]ADDRESS` of a capture kernel's command line: numbers
/// as the kernel reads them: decimal, or hexadecimal after 0x, and followed by K, M or G or
/// nothing.
pub fn address_on(command_line: &[u8]) -> Option<u64> {
    let value = settings(command_line)
        .filter_map(|(name, value)| (name == b"elfcorehdr").then_some(value))
        .last()?;
    let address = value.rsplit(|byte| *byte == b'@').next()?;
    let (digits, shift) = match address.split_last()? {
        (b'K' | b'k', digits) => (digits, 10),
        (b'M' | b'm', digits) => (digits, 20),
        (b'G' | b'g', digits) => (digits, 30),
        _ => (address, 0),
    };
    let digits = core::str::from_utf8(digits).ok()?;
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    number.ok()?.checked_mul(1 << shift)
}

/// The length of an elfcorehdr with this many ranges of notes and pieces of memory.
pub const fn encoded_len(notes: usize, loads: usize) -> usize {
    notes
        .saturating_add(loads)
        .saturating_mul(PROGRAM_HEADER_LEN)
        .saturating_add(HEADER_LEN)
}

/// Writes an elfcorehdr to the start of `out` and returns its length.
///
/// `notes` are the ranges of memory that will hold the notes.
pub fn encode(
    out: &mut [u8],
    architecture: Architecture,
    notes: &[Range],
    loads: &[Load],
) -> Result<usize, ElfcorehdrError> {
    let count = notes.len().saturating_add(loads.len());
    let too_many = ElfcorehdrError::TooMany { count };
    if count > PROGRAM_HEADERS_MAX {
        return Err(too_many);
    }
    let count = u16::try_from(count).map_err(|_| too_many)?;
    let needed = encoded_len(notes.len(), loads.len());
    if out.len() < needed {
        return Err(ElfcorehdrError::Buffer {
            needed,
            len: out.len(),
        });
    }

    write(
        out,
        0,
        &Header::core(architecture.e_machine(), count).encode(),
    );
    let note_headers = notes.iter().map(|memory| ProgramHeader {
        segment_type: PT_NOTE,
        offset: memory.start(),
        physical_address: memory.start(),
        file_len: memory.len(),
        memory_len: memory.len(),
        ..ProgramHeader::default()
    });
    let load_headers = loads.iter().map(|load| ProgramHeader {
        segment_type: PT_LOAD,
        flags: PF_RWX,
        offset: load.memory.start(),
        virtual_address: load.virtual_address,
        physical_address: load.memory.start(),
        file_len: load.memory.len(),
        memory_len: load.memory.len(),
        alignment: 0,
    });
    let places = out
        .get_mut(HEADER_LEN..)
        .unwrap_or_default()
        .chunks_exact_mut(PROGRAM_HEADER_LEN);
    for (place, header) in places.zip(note_headers.chain(load_headers)) {
        write(place, 0, &header.encode());
    }
    Ok(needed)
}

/// An elfcorehdr that was checked.
///
/// ```
/// use kexec_core::dump::elfcorehdr::{encode, encoded_len, Elfcorehdr, ElfcorehdrError, Load};
/// use kexec_core::types::elf::{Architecture, HEADER_LEN};
/// use kexec_core::types::ranges::Range;
///
/// let notes = [Range::new(0x7000_0000, 0x7000_0170).unwrap()];
/// let ram = Load {
///     virtual_address: 0xffff_8880_0010_0000,
///     memory: Range::new(0x10_0000, 0x7fff_0000).unwrap(),
/// };
/// let mut bytes = vec![0; encoded_len(notes.len(), 1)];
/// encode(&mut bytes, Architecture::X86_64, &notes, &[ram])?;
///
/// // A reader learns the length from the first bytes, and reads the rest then.
/// let len = Elfcorehdr::total_len(&bytes[..HEADER_LEN])?;
/// let header = Elfcorehdr::parse(&bytes[..len], Architecture::X86_64)?;
/// assert!(header.notes().eq(notes));
/// assert!(header.loads().eq([ram]));
/// # Ok::<(), ElfcorehdrError>(())
/// ```
///
/// # Invariants
///
/// `program_headers` holds `notes` PT_NOTEs and after them only PT_LOADs, all of them whole. The
/// memory of each is below [`PHYSICAL_END`].
#[derive(Clone, Copy, Debug)]
pub struct Elfcorehdr<'a> {
    architecture: Architecture,
    program_headers: &'a [u8],
    notes: usize,
}

impl<'a> Elfcorehdr<'a> {
    /// The length of an elfcorehdr, by its first [`HEADER_LEN`] bytes. [`Self::parse`] needs that
    /// many bytes.
    pub fn total_len(first: &[u8]) -> Result<usize, ElfcorehdrError> {
        let header = Header::decode(first).ok_or(ElfcorehdrError::Truncated {
            needed: HEADER_LEN,
            len: first.len(),
        })?;
        if header.ident != IDENT {
            return Err(ElfcorehdrError::Ident {
                found: header.ident,
            });
        }
        if header.elf_type != ET_CORE {
            return Err(ElfcorehdrError::Type {
                found: header.elf_type,
            });
        }
        let expected = Header {
            entry: header.entry,
            ..Header::core(header.machine, header.program_headers)
        };
        if (header.version, header.header_len) != (expected.version, expected.header_len) {
            return Err(ElfcorehdrError::Version {
                version: header.version,
                header_len: header.header_len,
            });
        }
        if header != expected {
            return Err(ElfcorehdrError::ProgramHeaders {
                offset: header.program_headers_offset,
                len: header.program_header_len,
            });
        }
        let count = usize::from(header.program_headers);
        if count > PROGRAM_HEADERS_MAX {
            return Err(ElfcorehdrError::TooMany { count });
        }
        Ok(encoded_len(count, 0))
    }

    /// Reads and checks an elfcorehdr. Everything in it is checked, because a crashed kernel has
    /// left it.
    pub fn parse(bytes: &'a [u8], architecture: Architecture) -> Result<Self, ElfcorehdrError> {
        let needed = Self::total_len(bytes)?;
        let found = Header::decode(bytes).map_or(0, |header| header.machine);
        if found != architecture.e_machine() {
            return Err(ElfcorehdrError::Architecture {
                found,
                expected: architecture,
            });
        }
        let program_headers = bytes
            .get(HEADER_LEN..needed)
            .ok_or(ElfcorehdrError::Truncated {
                needed,
                len: bytes.len(),
            })?;

        let mut notes: usize = 0;
        let mut notes_len: u64 = 0;
        let mut index: usize = 0;
        for header in program_headers.chunks_exact(PROGRAM_HEADER_LEN) {
            let Some(header) = ProgramHeader::decode(header) else {
                break;
            };
            let is_note = header.segment_type == PT_NOTE && notes == index;
            check(index, &header, is_note)?;
            if is_note {
                notes_len = notes_len.saturating_add(header.memory_len);
            }
            if notes_len > NOTES_TOTAL_MAX {
                return Err(ElfcorehdrError::NotesTooLong { index });
            }
            index = index.saturating_add(1);
            notes = notes.saturating_add(is_note.into());
        }
        if notes == 0 {
            return Err(ElfcorehdrError::NoNotes);
        }
        // INVARIANT: just checked.
        let core = Self {
            architecture,
            program_headers,
            notes,
        };
        core.check_virtual_addresses()?;
        Ok(core)
    }

    /// Checks that no two pieces share a virtual address, because readers of dumps look memory up
    /// by it. Pieces may share physical addresses: the kernel's text is a part of RAM as well. The
    /// text comes first; the other pieces have to be in ascending order, so that they need not be
    /// compared with each other.
    fn check_virtual_addresses(&self) -> Result<(), ElfcorehdrError> {
        let mut first: Option<(u64, u64)> = None;
        let mut previous: Option<(u64, u64)> = None;
        for index in 0..self.loads_count() {
            let Some(load) = self.load(index).filter(|load| !load.memory.is_empty()) else {
                continue;
            };
            let error = ElfcorehdrError::VirtualAddress {
                index: self.notes.saturating_add(index),
                virtual_address: load.virtual_address,
                len: load.memory.len(),
            };
            let span = (
                load.virtual_address,
                load.last_virtual_address().ok_or(error)?,
            );
            let in_order = previous.map_or(true, |previous| previous.1 < span.0);
            let apart = first.map_or(true, |first| first.1 < span.0 || span.1 < first.0);
            if !in_order || !apart {
                return Err(error);
            }
            match first {
                None => first = Some(span),
                Some(_) => previous = Some(span),
            }
        }
        Ok(())
    }

    /// The architecture of the machine that crashed.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    fn program_header(&self, index: usize) -> Option<ProgramHeader> {
        let start = index.checked_mul(PROGRAM_HEADER_LEN)?;
        ProgramHeader::decode(self.program_headers.get(start..)?)
    }

    fn load(&self, index: usize) -> Option<Load> {
        let header = self.program_header(self.notes.checked_add(index)?)?;
        Some(Load {
            virtual_address: header.virtual_address,
            memory: memory(&header),
        })
    }

    /// The memory that holds the notes: one range per CPU, and one for VMCOREINFO.
    pub fn notes(self) -> impl Iterator<Item = Range> + 'a {
        (0..self.notes)
            .filter_map(move |index| self.program_header(index))
            .map(|header| memory(&header))
    }

    /// The number of ranges of [`Self::notes`].
    pub fn notes_count(&self) -> usize {
        self.notes
    }

    /// The memory to dump.
    pub fn loads(self) -> impl Iterator<Item = Load> + 'a {
        (0..self.loads_count()).filter_map(move |index| self.load(index))
    }

    /// The number of pieces of [`Self::loads`].
    pub fn loads_count(&self) -> usize {
        (self.program_headers.len() / PROGRAM_HEADER_LEN).saturating_sub(self.notes)
    }
}

fn check(index: usize, header: &ProgramHeader, is_note: bool) -> Result<(), ElfcorehdrError> {
    if !is_note && header.segment_type != PT_LOAD {
        return Err(ElfcorehdrError::UnexpectedType {
            index,
            found: header.segment_type,
        });
    }
    if header.offset != header.physical_address {
        return Err(ElfcorehdrError::OffsetNotAddress {
            index,
            offset: header.offset,
            physical_address: header.physical_address,
        });
    }
    let is_physical = Range::from_start_len(header.offset, header.memory_len)
        .is_some_and(|memory| memory.end() <= PHYSICAL_END);
    let too_long = is_note && header.memory_len > NOTES_LEN_MAX;
    if !is_physical || too_long || header.file_len > header.memory_len {
        return Err(ElfcorehdrError::Extent {
            index,
            offset: header.offset,
            file_len: header.file_len,
            memory_len: header.memory_len,
        });
    }
    Ok(())
}

/// The memory of a program header that [`check`] has let through.
fn memory(header: &ProgramHeader) -> Range {
    Range::from_start_len(header.offset, header.memory_len).unwrap_or_default()
}
